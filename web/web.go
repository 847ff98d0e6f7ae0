// Package web holds what front ends install: a client, a custom element and a React
// component, as ES modules that need no build.
package web

import "embed"

// Files are the modules of the packages, by their path in this folder.
//
//go:embed client/*.js client/messages/*.js element/*.js element/messages/*.js
var Files embed.FS
