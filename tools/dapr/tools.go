//go:build tools

// Package tools names the programs that this module pins. tools/setup builds them.
package tools

import (
	_ "github.com/dapr/dapr/cmd/daprd"
	_ "github.com/dapr/dapr/cmd/scheduler"
)
