//go:build tools

// Package tools names the program that this module pins. tools/setup builds it.
package tools

import _ "github.com/anchore/syft/cmd/syft"
