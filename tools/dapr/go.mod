module todo-service/tools/dapr

go 1.26.0

// Dapr 1.17.5 names patch releases of these two that cannot be downloaded any more; newer patches of the same line work.
require (
	github.com/dapr/dapr v1.17.5
	github.com/dapr/durabletask-go v0.11.3
	github.com/diagridio/go-etcd-cron v0.12.6
)

// The same replacements as in Dapr's own go.mod: Go ignores those of a dependency.
replace (
	dubbo.apache.org/dubbo-go/v3 => dubbo.apache.org/dubbo-go/v3 v3.0.3-0.20230118042253-4f159a2b38f3
	github.com/chenzhuoyu/iasm => github.com/chenzhuoyu/iasm v0.9.0
	github.com/chzyer/logex => github.com/chzyer/logex v1.2.1
	github.com/gobwas/pool => github.com/gobwas/pool v0.2.1
	github.com/toolkits/concurrent => github.com/niean/gotools v0.0.0-20151221085310-ff3f51fc5c60
	gopkg.in/couchbaselabs/gocbconnstr.v1 => github.com/couchbaselabs/gocbconnstr v1.0.5
)
