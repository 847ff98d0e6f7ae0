package deploytest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/awslabs/goformation/v7/schema"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// template is the CloudFormation template with its short functions written out
// (!Ref X as {"Ref": "X"}).
type template struct {
	Parameters map[string]struct {
		Type    string
		Default any
	}
	Conditions map[string]any
	Rules      map[string]any
	Resources  map[string]map[string]any
	Outputs    map[string]any
}

func cloudFormation(t *testing.T) template {
	t.Helper()
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(read(t, "../aws/template.yaml")), &node); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(longForm(t, node.Content[0]))
	if err != nil {
		t.Fatal(err)
	}
	var result template
	if err := json.Unmarshal(encoded, &result); err != nil {
		t.Fatal(err)
	}
	if len(result.Resources) < 10 {
		t.Fatalf("only %d resources were found", len(result.Resources))
	}
	return result
}

// longForm turns YAML into plain values. Repeated keys are errors: CloudFormation
// takes the last one without a word.
func longForm(t *testing.T, n *yaml.Node) any {
	t.Helper()
	var value any
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if _, twice := m[key]; twice {
				t.Errorf("line %d: %s stands there twice", n.Content[i].Line, key)
			}
			m[key] = longForm(t, n.Content[i+1])
		}
		value = m
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			list = append(list, longForm(t, c))
		}
		value = list
	default:
		if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
			value = n.Value
		} else if err := n.Decode(&value); err != nil {
			t.Fatal(err)
		}
	}
	switch n.Tag {
	case "!Ref", "!Condition":
		return map[string]any{strings.TrimPrefix(n.Tag, "!"): value}
	case "!GetAtt":
		resource, attribute, _ := strings.Cut(fmt.Sprint(value), ".")
		return map[string]any{"Fn::GetAtt": []any{resource, attribute}}
	case "!Sub", "!If", "!Equals", "!Not":
		return map[string]any{"Fn::" + strings.TrimPrefix(n.Tag, "!"): value}
	}
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		t.Errorf("line %d: %s is not a function that this test knows", n.Line, n.Tag)
	}
	return value
}

// stack evaluates the template's functions as CloudFormation would, with
// parameters over the defaults. What AWS would make up is a word of the same kind.
type stack struct {
	t          *testing.T
	template   template
	parameters map[string]string
	used       map[string]bool // parameters and conditions
}

type noValue struct{}

func deploy(t *testing.T, parameters map[string]string) *stack {
	t.Helper()
	return &stack{t: t, template: cloudFormation(t), parameters: parameters, used: map[string]bool{}}
}

func (s *stack) parameter(name string) (any, bool) {
	p, ok := s.template.Parameters[name]
	if !ok {
		return nil, false
	}
	s.used[name] = true
	value := fmt.Sprint(p.Default)
	if given, ok := s.parameters[name]; ok {
		value = given
	} else if p.Default == nil {
		value = "given-" + name
	}
	switch {
	case p.Type == "Number":
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			s.t.Errorf("the default of %s is no number", name)
		}
		return number, true
	case strings.HasPrefix(p.Type, "List<"):
		return []any{value + "-1", value + "-2"}, true
	}
	return value, true
}

func (s *stack) ref(name string) any {
	if name == "AWS::NoValue" {
		return noValue{}
	}
	if slices.Contains([]string{"AWS::AccountId", "AWS::Region", "AWS::StackName"}, name) {
		return "aws-" + strings.ToLower(strings.TrimPrefix(name, "AWS::"))
	}
	if value, ok := s.parameter(name); ok {
		return value
	}
	if s.exists(name) {
		return "id-of-" + name
	}
	s.t.Errorf("nothing is called %s", name)
	return ""
}

// exists says whether a resource is made under these parameters. A reference to
// one that is not made is an error of the stack.
func (s *stack) exists(name string) bool {
	r, ok := s.template.Resources[name]
	if !ok {
		return false
	}
	condition, conditional := r["Condition"].(string)
	return !conditional || s.condition(condition)
}

func (s *stack) condition(name string) bool {
	definition, ok := s.template.Conditions[name]
	if !ok {
		s.t.Errorf("no condition is called %s", name)
	}
	s.used[name] = true
	holds, _ := s.value(definition).(bool)
	return holds
}

var substitution = regexp.MustCompile(`\$\{([^}!]+)\}`)

func (s *stack) getAtt(resource, attribute string) any {
	if !s.exists(resource) {
		s.t.Errorf("%s.%s: there is no such resource", resource, attribute)
	}
	// What Fn::GetAtt may ask of these types, by CloudFormation's reference.
	known := map[string][]string{
		"AWS::ElastiCache::ReplicationGroup":        {"PrimaryEndPoint.Address", "PrimaryEndPoint.Port"},
		"AWS::ElasticLoadBalancingV2::LoadBalancer": {"DNSName", "LoadBalancerFullName"},
		"AWS::IAM::Role":                            {"Arn"},
		"AWS::Logs::LogGroup":                       {"Arn"},
	}
	kind, _ := s.template.Resources[resource]["Type"].(string)
	if !slices.Contains(known[kind], attribute) {
		s.t.Errorf("%s has no attribute %s", kind, attribute)
	}
	return attribute + "-of-" + resource
}

// value evaluates everything inside v.
func (s *stack) value(v any) any {
	switch v := v.(type) {
	case []any:
		list := []any{}
		for _, e := range v {
			if one := s.value(e); one != (noValue{}) {
				list = append(list, one)
			}
		}
		return list
	case map[string]any:
		if len(v) == 1 {
			for name, argument := range v {
				if result, isFunction := s.call(name, argument); isFunction {
					return result
				}
			}
		}
		m := map[string]any{}
		for name, e := range v {
			if one := s.value(e); one != (noValue{}) {
				m[name] = one
			}
		}
		return m
	}
	return v
}

func (s *stack) call(name string, argument any) (any, bool) {
	switch name {
	case "Ref":
		return s.ref(argument.(string)), true
	case "Condition":
		if text, ok := argument.(string); ok {
			return s.condition(text), true
		}
	case "Fn::GetAtt":
		list := argument.([]any)
		return s.getAtt(list[0].(string), list[1].(string)), true
	case "Fn::Sub":
		return substitution.ReplaceAllStringFunc(argument.(string), func(found string) string {
			inner := strings.Trim(found, "${}")
			if resource, attribute, dotted := strings.Cut(inner, "."); dotted {
				return fmt.Sprint(s.getAtt(resource, attribute))
			}
			return fmt.Sprint(s.ref(inner))
		}), true
	case "Fn::If":
		list := argument.([]any)
		if s.condition(list[0].(string)) {
			return s.value(list[1]), true
		}
		return s.value(list[2]), true
	case "Fn::Equals":
		list := s.value(argument).([]any)
		return fmt.Sprint(list[0]) == fmt.Sprint(list[1]), true
	case "Fn::Not":
		return s.value(argument).([]any)[0] != true, true
	}
	return nil, false
}

// resources are those that are made, evaluated.
func (s *stack) resources() map[string]map[string]any {
	made := map[string]map[string]any{}
	for name, r := range s.template.Resources {
		if s.exists(name) {
			made[name] = s.value(r).(map[string]any)
		}
	}
	return made
}

// stacks are the ways in which the template is meant to be used.
func stacks() map[string]map[string]string {
	const secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:mfa"
	return map[string]map[string]string{
		"as it comes": {},
		"with Redis":  {"WithRedis": "true", "SecretArn": secret},
		"with everything": {
			"WithRedis": "true", "WithClientSecrets": "true", "WithEvents": "true", "SecretArn": secret,
			"EcrRepositoryArn": "arn:aws:ecr:eu-west-1:111122223333:repository/mfa", "MonitoringSecurityGroupId": "sg-1",
		},
	}
}

// specification is AWS's own specification of all resources, as a JSON schema
// that knows no property that AWS does not. Reading it takes a second.
var specification = sync.OnceValues(func() (map[string]any, error) {
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(schema.CloudformationSchema))
	whole, _ := document.(map[string]any)
	definitions, _ := whole["definitions"].(map[string]any)
	return definitions, err
})

func resourceSchema(t *testing.T, kind string) *jsonschema.Schema {
	t.Helper()
	definitions, err := specification()
	if err != nil {
		t.Fatal(err)
	}
	if _, known := definitions[kind]; !known {
		t.Fatalf("AWS has no %s", kind)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("resource.json", map[string]any{"definitions": definitions, "$ref": "#/definitions/" + kind}); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("resource.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func TestTemplateFitsTheSpecificationOfItsResources(t *testing.T) {
	schemas := map[string]*jsonschema.Schema{}
	used := map[string]bool{}
	var all template
	for name, parameters := range stacks() {
		t.Run(name, func(t *testing.T) {
			s := deploy(t, parameters)
			all = s.template
			for resource, r := range s.resources() {
				kind, _ := r["Type"].(string)
				if schemas[kind] == nil {
					schemas[kind] = resourceSchema(t, kind)
				}
				delete(r, "Condition") // known to every resource, and evaluated by now
				if err := schemas[kind].Validate(plainJSON(t, r)); err != nil {
					t.Errorf("%s: %v", resource, err)
				}
				if properties, ok := r["Properties"].(map[string]any); ok {
					properties["NoSuchProperty"] = "x"
					if schemas[kind].Validate(plainJSON(t, r)) == nil {
						t.Errorf("%s: a misspelt property was not noticed", resource)
					}
				}
			}
			s.value(s.template.Outputs)
			s.value(s.template.Rules)
			for name := range s.used {
				used[name] = true
			}
		})
	}
	for name := range all.Parameters {
		if !used[name] {
			t.Errorf("the parameter %s changes nothing", name)
		}
	}
	for name := range all.Conditions {
		if !used[name] {
			t.Errorf("the condition %s decides nothing", name)
		}
	}
}

// plainJSON makes the value of those types alone that the validator knows.
func plainJSON(t *testing.T, v any) any {
	t.Helper()
	encoded, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(encoded)))
	if err != nil {
		t.Fatal(err)
	}
	return value
}
