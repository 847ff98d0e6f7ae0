package cognitotest

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// shape is what the API's model of 2016-04-18, which AWS makes the SDKs from, says
// of a member of a request. The member's tag names it: `shape:"UsernameType,required"`.
type shape struct {
	// min and max are of a string's characters, of a number, or of a list's
	// members; a max of 0 is none.
	min, max int
	// pattern is what the whole of a string must be, nil for anything.
	pattern *regexp.Regexp
	// sensitive values are in no message.
	sensitive bool
	// enum values are of a few words, which enums lists by the member's name.
	enum bool
}

// shapes are those of the members that the stand-in reads, with the model's names.
var shapes = map[string]shape{
	"":                                {}, // one that allows everything
	"enum":                            {enum: true},
	"AccessTokenValidityType":         {min: 1, max: 86400},
	"AllowedFirstAuthFactorsListType": {min: 1, max: 4, enum: true},
	"AttributeNameType":               {min: 1, max: 32, pattern: whole(`[\p{L}\p{M}\p{S}\p{N}\p{P}\t\n\r ]+`)},
	"AttributeValueType":              {max: 2048, sensitive: true},
	"AuthSessionValidityType":         {min: 3, max: 15},
	// The model's client IDs have no hyphen. The stand-in's may, so that the IDs of
	// demonstrations and tests can be read. The model calls them sensitive, and
	// Cognito's messages have them (boto/boto3#3581).
	"ClientIdType":                {min: 1, max: 128, pattern: whole(`[\w+-]+`)},
	"ClientNameType":              {min: 1, max: 128, pattern: whole(`[\w\s+=,.@-]+`)},
	"ClientSecretType":            {min: 24, max: 64, pattern: whole(`[\w+]+`), sensitive: true},
	"ConfirmationCodeType":        {min: 1, max: 2048, pattern: whole(`[\S]+`)},
	"DeviceKeyType":               {min: 1, max: 55, pattern: whole(`[\w-]+_[0-9a-f-]+`)},
	"DeviceNameType":              {min: 1, max: 1024},
	"IdTokenValidityType":         {min: 1, max: 86400},
	"PasswordPolicyMinLengthType": {min: 6, max: 99},
	// The model says [\S]+, Cognito's own messages say this.
	"PasswordType":              {max: 256, pattern: whole(`^[\S]+.*[\S]+$`), sensitive: true},
	"QueryLimitType":            {max: 60},
	"RefreshTokenValidityType":  {max: 315360000},
	"SearchPaginationTokenType": {min: 1, pattern: whole(`[\S]+`)},
	"SecretHashType":            {min: 1, max: 128, pattern: whole(`[\w+=/]+`), sensitive: true},
	// The model says 2048, and Cognito's own error says 8192
	// (aws-amplify/amplify-js#14411).
	"SessionType":                       {min: 20, max: 8192, sensitive: true},
	"SoftwareTokenMFAUserCodeType":      {min: 6, max: 6, pattern: whole(`[0-9]+`), sensitive: true},
	"StringType":                        {max: 131072},
	"TemporaryPasswordValidityDaysType": {max: 365},
	"TokenModelType":                    {pattern: whole(`[A-Za-z0-9-_=.]+`), sensitive: true},
	"UserPoolIdType":                    {min: 1, max: 55, pattern: whole(`[\w-]+_[0-9a-zA-Z]+`)},
	"UserPoolNameType":                  {min: 1, max: 128, pattern: whole(`[\w\s+=,.@-]+`)},
	"UsernameType":                      {min: 1, max: 128, pattern: whole(`[\p{L}\p{M}\p{S}\p{N}\p{P}]+`), sensitive: true},
}

// whole is a pattern for the whole of a string.
func whole(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }

// constraints collects what a request breaks, to say all of it at once in
// Cognito's words.
type constraints []string

// structure checks the members of an object that was read into a t. It names them
// as Cognito does, under the path of the object: tokenValidityUnits.accessToken,
// userAttributes.1.member.name.
func (c *constraints) structure(path string, object jsontext.Value, t reflect.Type) {
	given := map[string]jsontext.Value{}
	_ = json.Unmarshal(object, &given, lenient()) // it was read before
	for _, field := range reflect.VisibleFields(t) {
		if field.Anonymous || !field.IsExported() {
			continue
		}
		tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		member := cmp.Or(tag, field.Name)
		name, required, _ := strings.Cut(field.Tag.Get("shape"), ",")
		s, ok := shapes[name]
		if !ok {
			panic("no shape is called " + name)
		}
		value, path := given[member], path+strings.ToLower(member[:1])+member[1:]
		switch {
		case value != nil:
			c.value(path, value, field.Type, s)
		case required != "":
			c.fail(path, "null", s, "not be null")
		}
	}
}

// value checks a value that was read into a t.
func (c *constraints) value(path string, value jsontext.Value, t reflect.Type, s shape) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch kind := value.Kind(); {
	case kind == '"':
		var text string
		_ = json.Unmarshal(value, &text, lenient())
		c.text(path, text, s)
	case kind == '0':
		n, _ := strconv.Atoi(value.String())
		c.size(path, "'"+value.String()+"'", "value", n, s)
	case kind == '{' && t.Kind() == reflect.Struct:
		c.structure(path+".", value, t)
	case kind == '[' && t.Kind() == reflect.Slice:
		var values []jsontext.Value
		_ = json.Unmarshal(value, &values, lenient())
		if s.enum {
			var words []string
			_ = json.Unmarshal(value, &words, lenient())
			c.size(path, "'["+strings.Join(words, ", ")+"]'", "length", len(words), s)
			list(c, path, words)
			return
		}
		for i, v := range values {
			c.value(fmt.Sprintf("%s.%d.member", path, i+1), v, t.Elem(), shape{})
		}
	}
}

// text checks a string.
func (c *constraints) text(path, text string, s shape) {
	if s.enum {
		c.word(path, text)
		return
	}
	shown := "'" + text + "'"
	c.size(path, shown, "length", utf8.RuneCountInString(text), s)
	if s.pattern != nil && !s.pattern.MatchString(text) {
		pattern := strings.TrimSuffix(strings.TrimPrefix(s.pattern.String(), "^(?:"), ")$")
		c.fail(path, shown, s, "satisfy regular expression pattern: "+pattern)
	}
}

// size checks a length or the value of a number.
func (c *constraints) size(path, shown, of string, n int, s shape) {
	if n < s.min {
		c.fail(path, shown, s, fmt.Sprintf("have %s greater than or equal to %d", of, s.min))
	}
	if s.max > 0 && n > s.max {
		c.fail(path, shown, s, fmt.Sprintf("have %s less than or equal to %d", of, s.max))
	}
}

// fail notes what a member must do and does not. Cognito's message shows the value
// where it is not sensitive.
func (c *constraints) fail(path, shown string, s shape, must string) {
	if s.sensitive {
		shown = ""
	} else {
		shown = " " + shown
	}
	*c = append(*c, fmt.Sprintf("Value%s at '%s' failed to satisfy constraint: Member must %s", shown, path, must))
}

// err is the exception for what was collected, nil when nothing was.
func (c *constraints) err() error {
	switch len(*c) {
	case 0:
		return nil
	case 1:
		return invalidParameter("1 validation error detected: %s", (*c)[0])
	default:
		return invalidParameter("%d validation errors detected: %s", len(*c), strings.Join(*c, "; "))
	}
}
