// Package rolling tests what happens to people while replicas are replaced: by
// the same release one after the other, and by another release.
package rolling
