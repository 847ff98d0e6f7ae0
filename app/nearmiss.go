package app

import "strings"

// intended is the variable that a name was probably meant to be, or "" where it
// is one of the service's own, or near none: REDIS_URI, LOGLEVEL, TRUSTED_PROXY,
// redis_url. The environment holds many names of others, such as those that
// Kubernetes makes for every Service, so the rule is narrow: the same words but
// for case, number, underscores and FILE; or one wrong letter, and two in a name
// of twelve or more.
func intended(name string) string {
	var found string
	for _, v := range variables() {
		if name == v.Name || name == v.Name+"_FILE" {
			return ""
		}
		if found == "" && near(strings.TrimSuffix(strings.ToUpper(name), "_FILE"), v.Name) {
			found = v.Name
		}
	}
	return found
}

func near(name, variable string) bool {
	if words(name) == words(variable) {
		return true
	}
	allowed := 0
	switch n := len(variable); {
	case n >= 12:
		allowed = 2
	case n >= 6:
		allowed = 1
	}
	return distance(name, variable, allowed) <= allowed
}

// words is a name without what people get wrong: underscores, plurals, and FILE.
func words(name string) string {
	var all strings.Builder
	for word := range strings.SplitSeq(name, "_") {
		switch {
		case word == "FILE":
		case strings.HasSuffix(word, "IES"):
			all.WriteString(strings.TrimSuffix(word, "IES") + "Y")
		default:
			all.WriteString(strings.TrimSuffix(word, "S"))
		}
	}
	return all.String()
}

// distance is how many letters must be put in, left out or changed to make one
// name of the other (Levenshtein). It is more than limit where it can see early
// that it would be.
func distance(a, b string, limit int) int {
	if d := len(a) - len(b); d > limit || -d > limit {
		return limit + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := diagonal
			if a[i] != b[j] {
				changed++
			}
			diagonal = row[j+1]
			row[j+1] = min(changed, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
