module todo-service/tools/image/syft

go 1.26.8

require github.com/anchore/syft v1.57.1
