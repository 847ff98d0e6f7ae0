#!/bin/sh
# Makes two throw-away user pools with the AWS CLI, runs the conformance suite
# against them, asks what AWS's documents leave open, and deletes the pools.
# docs/real-pool.md says what it costs and what to do with the answers.
#
# The CLI's own configuration says which account and region. ENDPOINT points it at
# something else, such as the stand-in. AWS is the CLI.
set -eu
cd "$(dirname "$0")/../.."
aws=${AWS:-aws}
export AWS_PAGER=
cognito() { "$aws" cognito-idp ${ENDPOINT:+--endpoint-url "$ENDPOINT"} --output text "$@"; }

pools=
log=$(mktemp)
finish() {
  for pool in $pools; do cognito delete-user-pool --user-pool-id "$pool" && echo "deleted pool $pool"; done
  rm -f "$log"
}
trap finish EXIT
trap 'exit 1' INT TERM

password="Aa1-$(openssl rand -hex 12)"
# make makes a pool with MFA ON or OPTIONAL, a client with a secret, and users.
make() {
  mfa=$1
  shift
  pool=$(cognito create-user-pool --pool-name "mfa-enrollment-conformance-$mfa" --query UserPool.Id)
  pools="$pools $pool"
  cognito set-user-pool-mfa-config --user-pool-id "$pool" --mfa-configuration "$mfa" --software-token-mfa-configuration Enabled=true >/dev/null
  set -- "$@" $(cognito create-user-pool-client --user-pool-id "$pool" --client-name conformance --generate-secret \
    --explicit-auth-flows ALLOW_USER_PASSWORD_AUTH ALLOW_REFRESH_TOKEN_AUTH --auth-session-validity 3 \
    --query 'UserPoolClient.[ClientId,ClientSecret]')
  while [ $# -gt 2 ]; do
    cognito admin-create-user --user-pool-id "$pool" --username "$1" --message-action SUPPRESS >/dev/null
    cognito admin-set-user-password --user-pool-id "$pool" --username "$1" --password "$password" --permanent
    shift
  done
  export CONFORMANCE_POOL_ID="$pool" CONFORMANCE_CLIENT_ID="$1" CONFORMANCE_CLIENT_SECRET="$2" CONFORMANCE_PASSWORD="$password"
}
# try runs one test as a user, and keeps what it says for the end.
try() {
  CONFORMANCE_USERNAME=$2 go test -v -count=1 -run "^$1\$" ./cognito/conformance >"$log" 2>&1 || failed=1
  sed -n 's/^ *[a-z_]*\.go:[0-9]*: \(the user pool: .*\)/\1/p; /^|/p; /^ *--- FAIL/p' "$log"
}

failed=0
export CONFORMANCE_ENDPOINT="${ENDPOINT:-}" CONFORMANCE_ASK=1
echo "## A pool with optional MFA"
make OPTIONAL person
try TestUserPool person
echo "## A pool that requires MFA"
make ON person asker
try TestUserPool person
echo
echo "| question | answer |"
echo "|---|---|"
try TestOpenQuestions asker
exit $failed
