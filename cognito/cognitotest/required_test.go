package cognitotest_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"mfa-enrollment/cognito/cognitotest"
)

// requiredMembers asks the SDK, whose checks come from the API's model, which
// members an operation wants; nil for an operation that the SDK does not have.
func (s *standIn) requiredMembers(t *testing.T, operation string) []string {
	t.Helper()
	method := reflect.ValueOf(s.sdk).MethodByName(operation)
	if !method.IsValid() {
		return nil
	}
	out := method.Call([]reflect.Value{reflect.ValueOf(t.Context()), reflect.New(method.Type().In(1).Elem())})
	err, _ := out[1].Interface().(error)
	var invalid smithy.InvalidParamsError
	if !errors.As(err, &invalid) {
		return nil
	}
	var members []string
	for _, e := range invalid.Errs() {
		var param smithy.InvalidParamError
		if !errors.As(e, &param) {
			t.Fatalf("%s: %v", operation, e)
		}
		member := param.Field()[strings.LastIndex(param.Field(), ".")+1:]
		members = append(members, strings.ToLower(member[:1])+member[1:])
	}
	return members
}

// sensitive are the required members of which messages do not even say null.
var sensitive = []string{"accessToken", "password", "proposedPassword", "refreshToken", "token", "userCode", "username"}

func TestRequiredMembersAreAllNamed(t *testing.T) {
	s := start(t)
	checked := 0
	for _, operation := range cognitotest.Operations() {
		members := s.requiredMembers(t, operation.Name)
		if operation.Name == "AdminDeleteSoftwareToken" { // newer than the SDK
			members = []string{"userPoolId", "username"}
		}
		_, body := postSigned(t, s, operation.Name, `{}`)
		if !strings.Contains(body, `"InvalidParameterException"`) {
			t.Errorf("%s {}: %s", operation.Name, body)
		}
		for _, member := range members {
			checked++
			value := "Value null"
			if slices.Contains(sensitive, member) {
				value = "Value"
			}
			if !strings.Contains(body, value+" at '"+member+"' failed to satisfy constraint: Member must not be null") {
				t.Errorf("%s without %s: %s", operation.Name, member, body)
			}
		}
	}
	if checked < 70 {
		t.Errorf("only %d members were tried", checked)
	}
}

func TestAttributesHaveNames(t *testing.T) {
	s := start(t)
	token := s.SignIn(optional, optionalClient, "ada").AccessToken
	const want = "Value null at 'userAttributes.2.member.name' failed to satisfy constraint: Member must not be null"
	const attributes = `"UserAttributes":[{"Name":"nickname","Value":"x"},{"Value":"y"}]}`
	for operation, body := range map[string]string{
		"UpdateUserAttributes":      `{"AccessToken":"` + token + `",` + attributes,
		"AdminUpdateUserAttributes": `{"UserPoolId":"us-east-1_Optional","Username":"ada",` + attributes,
	} {
		if _, answer := postSigned(t, s, operation, body); !strings.Contains(answer, want) {
			t.Errorf("%s: %s", operation, answer)
		}
	}
}
