package cognitotest

import (
	"bytes"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// operation is one of the API's operations. It reads a request, works under the
// server's lock, and gives the reply or an *exception.
type operation struct {
	quota category
	by    caller
	do    func(request) (any, error)
}

// request is what an operation is called with.
type request struct {
	body   []byte
	region string // that the signature names, empty when it names none
}

// caller says who may call an operation.
type caller bool

const (
	// anyone calls without AWS credentials. What the operation needs is in the
	// request: a token, a session, the ID of an app client.
	anyone caller = false
	// signer calls with a signature of AWS credentials. The stand-in knows no
	// credentials and takes any.
	signer caller = true
)

// routes lists the operations by name.
func (s *Server) routes() map[string]operation {
	return map[string]operation{
		"AdminConfirmSignUp":          {unlimited, signer, s.administer(s.adminConfirmSignUp)},
		"AdminCreateUser":             {unlimited, signer, decode(s.adminCreateUser)},
		"AdminDeleteSoftwareToken":    {userResourceUpdate, signer, s.administer(s.adminDeleteSoftwareToken)},
		"AdminDeleteUser":             {unlimited, signer, s.administer(s.adminDeleteUser)},
		"AdminDisableUser":            {unlimited, signer, s.administer(s.adminDisableUser)},
		"AdminEnableUser":             {unlimited, signer, s.administer(s.adminEnableUser)},
		"AdminGetUser":                {userRead, signer, s.administer(s.adminGetUser)},
		"AdminInitiateAuth":           {userAuthentication, signer, decode(s.adminInitiateAuth)},
		"AdminResetUserPassword":      {unlimited, signer, s.administer(s.adminResetUserPassword)},
		"AdminRespondToAuthChallenge": {userAuthentication, signer, decode(s.adminRespondToAuthChallenge)},
		"AdminSetUserMFAPreference":   {userResourceUpdate, signer, decode(s.adminSetUserMFAPreference)},
		"AdminSetUserPassword":        {unlimited, signer, decode(s.adminSetUserPassword)},
		"AdminUpdateUserAttributes":   {unlimited, signer, decode(s.adminUpdateUserAttributes)},
		"AdminUserGlobalSignOut":      {unlimited, signer, s.administer(s.adminUserGlobalSignOut)},
		"AssociateSoftwareToken":      {userResourceUpdate, anyone, decode(s.associateSoftwareToken)},
		"ChangePassword":              {unlimited, anyone, decode(s.changePassword)},
		"ConfirmDevice":               {unlimited, anyone, decode(s.confirmDevice)},
		"ConfirmForgotPassword":       {unlimited, anyone, decode(s.confirmForgotPassword)},
		"ConfirmSignUp":               {unlimited, anyone, decode(s.confirmSignUp)},
		"CreateUserPool":              {unlimited, signer, s.createUserPool},
		"CreateUserPoolClient":        {unlimited, signer, s.createUserPoolClient},
		"DeleteUser":                  {unlimited, anyone, decode(s.deleteUser)},
		"DeleteUserPool":              {unlimited, signer, s.onPool(s.deleteUserPool)},
		"DescribeUserPool":            {unlimited, signer, s.onPool(s.describeUserPool)},
		"DescribeUserPoolClient":      {unlimited, signer, decode(s.describeUserPoolClient)},
		"ForgetDevice":                {unlimited, anyone, decode(s.forgetDevice)},
		"ForgotPassword":              {unlimited, anyone, decode(s.forgotPassword)},
		"GetTokensFromRefreshToken":   {unlimited, anyone, decode(s.getTokensFromRefreshToken)},
		"GetUser":                     {userRead, anyone, decode(s.getUser)},
		"GetUserPoolMfaConfig":        {unlimited, signer, s.onPool(s.getUserPoolMfaConfig)},
		"GlobalSignOut":               {unlimited, anyone, decode(s.globalSignOut)},
		"InitiateAuth":                {userAuthentication, anyone, decode(s.initiateAuth)},
		"ListDevices":                 {unlimited, anyone, decode(s.listDevices)},
		"ResendConfirmationCode":      {unlimited, anyone, decode(s.resendConfirmationCode)},
		"RespondToAuthChallenge":      {userAuthentication, anyone, decode(s.respondToAuthChallenge)},
		"RevokeToken":                 {unlimited, anyone, decode(s.revokeToken)},
		"SetUserMFAPreference":        {userResourceUpdate, anyone, decode(s.setUserMFAPreference)},
		"SetUserPoolMfaConfig":        {unlimited, signer, decode(s.setUserPoolMfaConfig)},
		"SignUp":                      {unlimited, anyone, decode(s.signUp)},
		"UpdateUserAttributes":        {userResourceUpdate, anyone, decode(s.updateUserAttributes)},
		"UpdateUserPool":              {unlimited, signer, s.updateUserPool},
		"VerifySoftwareToken":         {userResourceUpdate, anyone, decode(s.verifySoftwareToken)},
	}
}

// decode makes an operation's work of a function on its input.
func decode[In any](do func(*In) (any, error)) func(request) (any, error) {
	return func(r request) (any, error) {
		in := new(In)
		if err := unmarshal(r.body, in); err != nil {
			return nil, err
		}
		return do(in)
	}
}

// lenient reads JSON as Cognito does: members that are there twice and bytes that
// are not UTF-8 are taken.
func lenient() json.Options {
	return json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// unmarshal reads a request as Cognito does: the names of members are compared as
// they are, members that nobody knows are ignored, and one that is null is not
// there. It then checks what the request breaks of the API's model.
func unmarshal(body []byte, into any) error {
	body, err := withoutNulls(body)
	if err != nil || json.Unmarshal(body, into, lenient()) != nil {
		return misfit()
	}
	var c constraints
	if t := reflect.TypeOf(into).Elem(); t.Kind() == reflect.Struct {
		c.structure("", body, t)
	}
	return c.err()
}

// withoutNulls takes the members out of a value's objects that are null.
func withoutNulls(value jsontext.Value) (jsontext.Value, error) {
	if !bytes.Contains(value, []byte("null")) {
		return value, nil
	}
	var whole any
	members, elements := map[string]jsontext.Value{}, []jsontext.Value{}
	switch value.Kind() {
	case '{':
		whole = &members
	case '[':
		whole = &elements
	default:
		return value, nil
	}
	err := json.Unmarshal(value, whole, lenient())
	maps.DeleteFunc(members, func(_ string, member jsontext.Value) bool { return member.Kind() == 'n' })
	for name, member := range members {
		var inner error
		members[name], inner = withoutNulls(member)
		err = errors.Join(err, inner)
	}
	for i, element := range elements {
		var inner error
		elements[i], inner = withoutNulls(element)
		err = errors.Join(err, inner)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(whole, lenient())
}

// signed says whether a request has a signature of version 4
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html), without
// looking whether it is right.
func signed(r *http.Request) bool {
	authorization := r.Header.Get("Authorization")
	return strings.HasPrefix(authorization, "AWS4-") &&
		strings.Contains(authorization, "Credential=") && strings.Contains(authorization, "Signature=")
}

// credentialScope holds the region that a request is signed for.
var credentialScope = regexp.MustCompile(`Credential=[^/]+/[0-9]+/([a-z0-9-]{1,45})/cognito-idp/aws4_request`)

// signedFor is the region of a signature's credential scope, empty when there is
// none. The SDKs take both it and the host of AWS's endpoint from the region that
// they are set up for; the stand-in has one host for all regions.
func signedFor(r *http.Request) string {
	if scope := credentialScope.FindStringSubmatch(r.Header.Get("Authorization")); scope != nil {
		return scope[1]
	}
	return ""
}

// Operation is an operation of the API that the stand-in has.
type Operation struct {
	Name string
	// Signed operations are an administrator's, and want a signature.
	Signed bool
}

// Operations lists the operations that the stand-in has, by name.
func Operations() []Operation {
	var list []Operation
	routes := (&Server{}).routes()
	for _, name := range slices.Sorted(maps.Keys(routes)) {
		list = append(list, Operation{Name: name, Signed: routes[name].by == signer})
	}
	return list
}
