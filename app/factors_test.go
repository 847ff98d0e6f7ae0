package app_test

import (
	"strings"
	"testing"

	"mfa-enrollment/cognito/cognitotest"
	"mfa-enrollment/test/world"
)

// factorPools are the demonstration's, the required one with every factor, with
// sign-in by e-mail address and with remembered devices.
func factorPools() cognitotest.Options {
	pools := cognitotest.DemoPools()
	required := &pools[1]
	required.Factors = []cognitotest.Factor{cognitotest.SMS, cognitotest.EmailOTP}
	required.AliasAttributes = []string{"email"}
	required.Devices = &cognitotest.DeviceConfiguration{}
	for i := range required.Users {
		u := &required.Users[i]
		u.Attributes["phone_number"], u.Attributes["phone_number_verified"] = "+15550100123", "true"
		u.Factors = []cognitotest.Factor{cognitotest.SMS, cognitotest.EmailOTP}
	}
	return cognitotest.Options{Pools: pools}
}

// answered is what came of an answer by the client with a secret: the challenge
// that follows, or the tokens.
func answered(w *world.World, body world.Object) world.Object {
	w.T.Helper()
	body["clientId"] = world.RequiredClient
	r := w.Answer(body)
	if r.Status != 200 {
		w.T.Fatalf("status %d: %s", r.Status, r.Body)
	}
	return r.JSON(w.T)
}

// A client with a secret has no other way: the secret is here alone.
func TestAChosenFactorIsAnsweredHereWithTheClientsSecret(t *testing.T) {
	t.Parallel()
	for _, factor := range []string{"EMAIL_OTP", "SMS_MFA"} {
		t.Run(factor, func(t *testing.T) {
			w := world.NewWith(t, factorPools(), nil)
			// The person signs in by an alias; every answer names USER_ID_FOR_SRP.
			begun := atCognito(w, "InitiateAuth", world.Object{
				"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": world.RequiredClient,
				"AuthParameters": world.Object{"USERNAME": "grace@example.com", "PASSWORD": world.Password, "SECRET_HASH": secretHash("grace@example.com")},
			})
			if begun["ChallengeName"] != "SELECT_MFA_TYPE" {
				t.Fatalf("the sign-in begins with %v", begun)
			}
			username := begun["ChallengeParameters"].(world.Object)["USER_ID_FOR_SRP"]
			if username != "grace" {
				t.Fatalf("USER_ID_FOR_SRP is %v", username)
			}

			chosen := answered(w, world.Object{"challenge": "SELECT_MFA_TYPE", "session": begun["Session"], "username": username, "answer": factor})
			next := chosen["challenge"].(world.Object)
			to, _ := next["parameters"].(world.Object)["CODE_DELIVERY_DESTINATION"].(string)
			if next["name"] != factor || !strings.Contains(to, "*") {
				t.Fatalf("the chosen factor is not asked for, or not said where the code went: %v", next)
			}

			code := w.Cognito.SentCode(world.Required, "grace")
			wrong := w.Answer(world.Object{"challenge": factor, "session": next["session"], "username": username, "clientId": world.RequiredClient, "code": strings.Repeat("0", len(code))})
			if wrong.Status != 422 || !strings.Contains(string(wrong.Body), "sent to you") {
				t.Errorf("a wrong code of a message: status %d: %s", wrong.Status, wrong.Body)
			}
			in := answered(w, world.Object{"challenge": factor, "session": next["session"], "username": username, "code": code})
			if in["tokens"] == nil {
				t.Errorf("no tokens: %v", in)
			}
		})
	}
}

func TestTheDeviceOfAPoolThatRemembersDevicesGoesOutAndIn(t *testing.T) {
	t.Parallel()
	w := world.NewWith(t, factorPools(), nil)
	session := w.Cognito.Session(world.Required, world.RequiredClient, "grace")
	e := w.Begin("", world.Object{"session": session}).JSON(t)
	verified := w.Verify("", world.Object{"session": e["session"], "code": w.CodeAt(e["secret"].(string), 0), "username": "grace", "clientId": world.RequiredClient})
	tokens, _ := verified.JSON(t)["tokens"].(world.Object)
	device, _ := tokens["device"].(world.Object)
	if verified.Status != 200 || device["key"] == nil || device["groupKey"] == nil {
		t.Fatalf("status %d, without a device: %s", verified.Status, verified.Body)
	}

	refresh := world.Object{
		"AuthFlow": "REFRESH_TOKEN_AUTH", "ClientId": world.RequiredClient,
		"AuthParameters": world.Object{"REFRESH_TOKEN": tokens["refreshToken"], "DEVICE_KEY": device["key"], "SECRET_HASH": secretHash("grace")},
	}
	atCognito(w, "ConfirmDevice", world.Object{
		"AccessToken": tokens["accessToken"], "DeviceKey": device["key"], "DeviceName": "Grace's laptop",
		"DeviceSecretVerifierConfig": world.Object{"PasswordVerifier": "dmVyaWZpZXI=", "Salt": "c2FsdA=="},
	})
	if atCognito(w, "InitiateAuth", refresh)["AuthenticationResult"] == nil {
		t.Error("the refresh token is worthless")
	}

	// At the next sign-in the key goes in, and the device is no new one.
	begun := atCognito(w, "InitiateAuth", world.Object{
		"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": world.RequiredClient,
		"AuthParameters": world.Object{"USERNAME": "grace", "PASSWORD": world.Password, "DEVICE_KEY": device["key"], "SECRET_HASH": secretHash("grace")},
	})
	chosen := answered(w, world.Object{"challenge": "SELECT_MFA_TYPE", "session": begun["Session"], "username": "grace", "answer": "EMAIL_OTP", "deviceKey": device["key"]})
	in := answered(w, world.Object{
		"challenge": "EMAIL_OTP", "session": chosen["challenge"].(world.Object)["session"], "username": "grace",
		"code": w.Cognito.SentCode(world.Required, "grace"), "deviceKey": device["key"],
	})
	if in["tokens"] == nil || in["tokens"].(world.Object)["device"] != nil {
		t.Errorf("the device that is known was not recognized: %v", in)
	}
}
