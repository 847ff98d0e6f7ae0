#!/bin/sh
# A pool that requires MFA, from nothing to tokens, by the AWS CLI alone: what a
# team does against the stand-in, and could do against AWS. The stand-in takes any
# credentials.
#
# ENDPOINT is where the stand-in listens, ADMIN its admin address, AWS the CLI.
set -eu
export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_DEFAULT_REGION=us-east-1 AWS_PAGER= AWS_EC2_METADATA_DISABLED=true
AWS=${AWS:-aws}

cognito() { "$AWS" cognito-idp --endpoint-url "$ENDPOINT" --output text "$@"; }
ok() { echo "ok $1"; }
# code is what the app shows, some steps from now.
code() { curl -sS "$ADMIN/totp?pool=$pool&username=ada&steps=$1" | sed 's/.*"Code":"\([0-9]*\)".*/\1/'; }
# hash is SECRET_HASH.
hash() { printf %s "ada$client" | openssl dgst -sha256 -hmac "$secret" -binary | base64; }
sign_in() {
  cognito initiate-auth --auth-flow USER_PASSWORD_AUTH --client-id "$client" \
    --auth-parameters "USERNAME=ada,PASSWORD=Correct-Horse-1,SECRET_HASH=$(hash)" --query "$1"
}
# answer answers a challenge: its name, the session, further answers, the query.
answer() {
  cognito respond-to-auth-challenge --client-id "$client" --challenge-name "$1" --session "$2" \
    --challenge-responses "USERNAME=ada,SECRET_HASH=$(hash)$3" --query "$4"
}
# set_up goes from MFA_SETUP to an access token.
set_up() {
  set -- $(sign_in '[ChallengeName,Session]')
  test "$1" = MFA_SETUP
  session=$(cognito associate-software-token --session "$2" --query Session)
  session=$(cognito verify-software-token --session "$session" --user-code "$(code 0)" --friendly-device-name phone --query Session)
  answer MFA_SETUP "$session" "" AuthenticationResult.AccessToken
}

pool=$(cognito create-user-pool --pool-name team --query UserPool.Id)
cognito set-user-pool-mfa-config --user-pool-id "$pool" --mfa-configuration ON --software-token-mfa-configuration Enabled=true >/dev/null
test "$(cognito get-user-pool-mfa-config --user-pool-id "$pool" --query MfaConfiguration)" = ON
ok "a pool that requires MFA"

client=$(cognito create-user-pool-client --user-pool-id "$pool" --client-name server --generate-secret \
  --explicit-auth-flows ALLOW_USER_PASSWORD_AUTH ALLOW_REFRESH_TOKEN_AUTH --query UserPoolClient.ClientId)
secret=$(cognito describe-user-pool-client --user-pool-id "$pool" --client-id "$client" --query UserPoolClient.ClientSecret)
test -n "$secret"
ok "a client with a secret"

cognito admin-create-user --user-pool-id "$pool" --username ada --message-action SUPPRESS >/dev/null
cognito admin-set-user-password --user-pool-id "$pool" --username ada --password Correct-Horse-1 --permanent
test "$(cognito admin-get-user --user-pool-id "$pool" --username ada --query UserStatus)" = CONFIRMED
ok "a user"

token=$(set_up)
test "$(cognito get-user --access-token "$token" --query PreferredMfaSetting)" = SOFTWARE_TOKEN_MFA
ok "from MFA_SETUP to tokens"

set -- $(sign_in '[ChallengeName,ChallengeParameters.FRIENDLY_DEVICE_NAME,Session]')
test "$1 $2" = "SOFTWARE_TOKEN_MFA phone"
answer "$1" "$3" ",SOFTWARE_TOKEN_MFA_CODE=$(code 1)" AuthenticationResult.AccessToken >/dev/null
ok "a sign-in with a code"

# This CLI does not know AdminDeleteSoftwareToken, which is of August 2026.
curl -sSf --aws-sigv4 "aws:amz:us-east-1:cognito-idp" --user any:any "$ENDPOINT/" -H 'Content-Type: application/x-amz-json-1.1' \
  -H 'X-Amz-Target: AWSCognitoIdentityProviderService.AdminDeleteSoftwareToken' -d "{\"UserPoolId\":\"$pool\",\"Username\":\"ada\"}" >/dev/null
ok "a lost phone is removed"

set_up >/dev/null
ok "a new phone"

refusal=$(cognito admin-get-user --no-sign-request --user-pool-id "$pool" --username ada 2>&1) && exit 1
case $refusal in *MissingAuthenticationToken*) ;; *) exit 1 ;; esac
ok "no administrator's call without a signature"

cognito delete-user-pool --user-pool-id "$pool"
ok "the pool is deleted"
