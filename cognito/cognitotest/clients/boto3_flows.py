"""Goes through boto3's flows against the stand-in: a pool that is made at run
time, enrolling during the sign-in and afterwards, exceptions by their class.

ENDPOINT is where the stand-in listens, ADMIN its admin address.
"""

import json
import os
import urllib.parse
import urllib.request

import boto3

idp = boto3.client(
    "cognito-idp", region_name="us-east-1", endpoint_url=os.environ["ENDPOINT"],
    aws_access_key_id="any", aws_secret_access_key="any",
)
PASSWORD = "Correct-Horse-1"


def check(name):
    print("ok", name)


def code(pool, steps=0):
    query = urllib.parse.urlencode({"pool": pool, "username": "ada", "steps": steps})
    with urllib.request.urlopen(f"{os.environ['ADMIN']}/totp?{query}") as answer:
        return json.load(answer)["Code"]


def make(mfa):
    pool = idp.create_user_pool(PoolName="team")["UserPool"]["Id"]
    idp.set_user_pool_mfa_config(
        UserPoolId=pool, MfaConfiguration=mfa, SoftwareTokenMfaConfiguration={"Enabled": True})
    client = idp.create_user_pool_client(
        UserPoolId=pool, ClientName="app",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    idp.admin_create_user(UserPoolId=pool, Username="ada", MessageAction="SUPPRESS")
    idp.admin_set_user_password(UserPoolId=pool, Username="ada", Password=PASSWORD, Permanent=True)
    return pool, client


def sign_in(client):
    return idp.initiate_auth(
        ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": "ada", "PASSWORD": PASSWORD})


pool, client = make("ON")
step = sign_in(client)
assert step["ChallengeName"] == "MFA_SETUP", step
session = idp.associate_software_token(Session=step["Session"])["Session"]
try:
    idp.verify_software_token(Session=session, UserCode="000000" if code(pool) != "000000" else "111111")
    raise AssertionError("a wrong code is taken")
except idp.exceptions.EnableSoftwareTokenMFAException as e:
    assert e.response["ResponseMetadata"]["HTTPHeaders"]["x-amzn-errormessage"] == e.response["Error"]["Message"]
check("a wrong code, by its exception")
enrolled = code(pool)
session = idp.verify_software_token(Session=session, UserCode=enrolled)["Session"]
tokens = idp.respond_to_auth_challenge(
    ClientId=client, ChallengeName="MFA_SETUP", Session=session, ChallengeResponses={"USERNAME": "ada"})["AuthenticationResult"]
assert idp.get_user(AccessToken=tokens["AccessToken"])["PreferredMfaSetting"] == "SOFTWARE_TOKEN_MFA"
check("from MFA_SETUP to tokens")

step = sign_in(client)
try:
    idp.respond_to_auth_challenge(
        ClientId=client, ChallengeName=step["ChallengeName"], Session=step["Session"],
        ChallengeResponses={"USERNAME": "ada", "SOFTWARE_TOKEN_MFA_CODE": enrolled})
    raise AssertionError("a code is taken twice")
except idp.exceptions.ExpiredCodeException:
    pass
idp.respond_to_auth_challenge(
    ClientId=client, ChallengeName=step["ChallengeName"], Session=step["Session"],
    ChallengeResponses={"USERNAME": "ada", "SOFTWARE_TOKEN_MFA_CODE": code(pool, 1)})
check("a sign-in with a code")

pool, client = make("OPTIONAL")
tokens = idp.admin_initiate_auth(
    UserPoolId=pool, ClientId=client, AuthFlow="ADMIN_USER_PASSWORD_AUTH",
    AuthParameters={"USERNAME": "ada", "PASSWORD": PASSWORD})["AuthenticationResult"]
idp.associate_software_token(AccessToken=tokens["AccessToken"])
assert idp.verify_software_token(AccessToken=tokens["AccessToken"], UserCode=code(pool))["Status"] == "SUCCESS"
idp.set_user_mfa_preference(
    AccessToken=tokens["AccessToken"], SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True})
assert idp.admin_get_user(UserPoolId=pool, Username="ada")["UserMFASettingList"] == ["SOFTWARE_TOKEN_MFA"]
check("enrolling by token")

refreshed = idp.initiate_auth(
    ClientId=client, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={"REFRESH_TOKEN": tokens["RefreshToken"]})
assert "RefreshToken" not in refreshed["AuthenticationResult"]
idp.admin_user_global_sign_out(UserPoolId=pool, Username="ada")
try:
    idp.get_user(AccessToken=tokens["AccessToken"])
    raise AssertionError("a token of before the sign-out is taken")
except idp.exceptions.NotAuthorizedException:
    pass
check("refreshing and signing out everywhere")
