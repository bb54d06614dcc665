//go:build tools

// Package tools names the program that this module pins. tools/setup builds it.
package tools

import _ "k8s.io/kubernetes/cmd/kube-apiserver"
