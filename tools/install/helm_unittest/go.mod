module todo-service/tools/install/helm_unittest

go 1.26.0

require github.com/helm-unittest/helm-unittest v1.1.2

// As in its own go.mod: Go ignores the replacements of a dependency.
replace github.com/vmware-labs/yaml-jsonpath v0.3.2 => github.com/helm-unittest/yaml-jsonpath v0.4.0
