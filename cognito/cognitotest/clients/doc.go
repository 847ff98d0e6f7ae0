// Package clients runs the clients that people have against the stand-in: the AWS
// CLI, boto3, the AWS SDK for JavaScript, Amplify and amazon-cognito-identity-js,
// jose and aws-jwt-verify. It holds tests and their scripts alone.
package clients
