// Command naive is what a team would write first: echo with its usual
// middleware, the token verified by keyfunc and golang-jwt, the SDK and
// go-qrcode with their defaults. It does the first half of an enrollment by
// access token and none of what the service does beyond that.
//
// ADDR says where it listens; COGNITO_ENDPOINT, COGNITO_USER_POOL_ID,
// COGNITO_CLIENT_ID and TOTP_ISSUER are what their names say.
package main

import (
	"context"
	"encoding/base64"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/golang-jwt/jwt/v5"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/skip2/go-qrcode"
)

type service struct {
	keys    keyfunc.Keyfunc
	cognito *cognitoidentityprovider.Client
	iss     string
	client  string
	issuer  string // as the authenticator app shows it
}

func main() {
	endpoint, pool := os.Getenv("COGNITO_ENDPOINT"), os.Getenv("COGNITO_USER_POOL_ID")
	region, _, _ := strings.Cut(pool, "_")
	keys, err := keyfunc.NewDefault([]string{endpoint + "/" + pool + "/.well-known/jwks.json"})
	if err != nil {
		log.Fatal(err)
	}
	settings, err := config.LoadDefaultConfig(context.Background(), config.WithRegion(region))
	if err != nil {
		log.Fatal(err)
	}
	s := &service{
		keys: keys,
		cognito: cognitoidentityprovider.NewFromConfig(settings, func(o *cognitoidentityprovider.Options) {
			o.BaseEndpoint = aws.String(endpoint)
		}),
		iss:    "https://cognito-idp." + region + ".amazonaws.com/" + pool,
		client: os.Getenv("COGNITO_CLIENT_ID"),
		issuer: os.Getenv("TOTP_ISSUER"),
	}
	e := echo.New()
	e.HideBanner = true
	e.Use(middleware.RequestID(), middleware.Logger(), middleware.Recover())
	e.GET("/readyz", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	e.POST("/v1/mfa/totp", s.start)
	log.Fatal(e.Start(os.Getenv("ADDR")))
}

func (s *service) start(c echo.Context) error {
	token := strings.TrimPrefix(c.Request().Header.Get("Authorization"), "Bearer ")
	claims := jwt.MapClaims{}
	if _, err := jwt.ParseWithClaims(token, claims, s.keys.Keyfunc,
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(s.iss), jwt.WithExpirationRequired()); err != nil {
		return echo.ErrUnauthorized
	}
	if claims["token_use"] != "access" || claims["client_id"] != s.client {
		return echo.ErrUnauthorized
	}
	out, err := s.cognito.AssociateSoftwareToken(c.Request().Context(), &cognitoidentityprovider.AssociateSoftwareTokenInput{
		AccessToken: aws.String(token),
	})
	if err != nil {
		return echo.NewHTTPError(http.StatusBadGateway, "cognito: "+err.Error())
	}
	username, _ := claims["username"].(string)
	uri := "otpauth://totp/" + url.PathEscape(s.issuer+":"+username) +
		"?secret=" + *out.SecretCode + "&issuer=" + url.QueryEscape(s.issuer) + "&algorithm=SHA1&digits=6&period=30"
	picture, err := qrcode.Encode(uri, qrcode.Medium, 256)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, map[string]string{
		"secret":     *out.SecretCode,
		"otpauthUri": uri,
		"qrCode":     "data:image/png;base64," + base64.StdEncoding.EncodeToString(picture),
	})
}
