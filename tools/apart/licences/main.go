// Licences reads a CycloneDX SBOM from the standard input and lists the licence
// of every module in it. It fails for a module whose licence is unknown, or none
// of those that this service is willing to be linked with.
package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// accepted are permissive: they ask for a notice and nothing else.
var accepted = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"}

// read are licences that a person read, by the beginning of a module's name,
// where the detector finds none (two licences in one file) or another one.
var read = map[string][]string{
	"github.com/oasdiff/yaml": {"MIT", "BSD-3-Clause"},
	"golang.org/x/":           {"BSD-3-Clause"},
}

func main() {
	if err := list(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func list(from io.Reader, to io.Writer) error {
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(from, cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		return err
	}
	if bom.Components == nil {
		return fmt.Errorf("the SBOM lists nothing")
	}
	var wrong []string
	for _, c := range *bom.Components {
		licences := licencesOf(c)
		fmt.Fprintf(to, "%-80s %-40s %s\n", c.Name, c.Version, strings.Join(licences, " and "))
		if len(licences) == 0 || slices.ContainsFunc(licences, func(l string) bool { return !slices.Contains(accepted, l) }) {
			wrong = append(wrong, c.Name)
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("licences to look at: %s", strings.Join(wrong, ", "))
	}
	return nil
}

func licencesOf(c cdx.Component) (all []string) {
	for name, licences := range read {
		if c.Name == name || strings.HasSuffix(name, "/") && strings.HasPrefix(c.Name, name) {
			return licences
		}
	}
	if c.Evidence == nil || c.Evidence.Licenses == nil {
		return nil
	}
	for _, l := range *c.Evidence.Licenses {
		if l.License != nil {
			all = append(all, l.License.ID)
		}
	}
	return all
}
