module todo-service/tools/install/crds

go 1.26.0

// Nothing of these is built: the definitions of their resources are among their files.
require (
	github.com/dapr/dapr v1.17.5
	github.com/kedacore/keda/v2 v2.21.0
	github.com/prometheus-operator/prometheus-operator v0.85.0
	sigs.k8s.io/gateway-api v1.4.0
)
