// Signed in: start, show, verify. Not compiled here; see the README.
import Foundation
import HTTPTypes
import OpenAPIRuntime
import OpenAPIURLSession

/// Adds the access token. No logging middleware beside it: it would print secrets.
struct Bearer: ClientMiddleware {
    let accessToken: @Sendable () async throws -> String

    func intercept(
        _ request: HTTPRequest, body: HTTPBody?, baseURL: URL, operationID: String,
        next: @Sendable (HTTPRequest, HTTPBody?, URL) async throws -> (HTTPResponse, HTTPBody?)
    ) async throws -> (HTTPResponse, HTTPBody?) {
        var request = request
        request.headerFields[.authorization] = "Bearer \(try await accessToken())"
        return try await next(request, body, baseURL)
    }
}

func client(_ service: URL, accessToken: @escaping @Sendable () async throws -> String) -> Client {
    Client(serverURL: service, transport: URLSessionTransport(), middlewares: [Bearer(accessToken: accessToken)])
}

/// Open otpauthUri, and show secret where no app opens it.
func start(_ client: Client) async throws -> Components.Schemas.Enrollment {
    switch try await client.startTotp(body: .json(.init())) {
    case .ok(let pending): return try pending.body.json
    case .created(let new): return try new.body.json
    default: throw URLError(.badServerResponse)     // each status has a case with the problem document
    }
}

func verify(_ client: Client, code: String) async throws -> Bool {
    switch try await client.verifyTotp(body: .json(.init(code: code))).ok.body.json {
    case .enabled(let result): return result.mfa.totp.enabled
    case .signedIn: return true                     // result.tokens, in mid-sign-in
    case .challenge, .verified: return false
    }
}
