// Signed in: start, show, verify. Not compiled here; see the README.
import com.example.mfa.apis.EnrollmentApi
import com.example.mfa.infrastructure.ApiClient
import com.example.mfa.models.*

// No logging interceptor on this client: it would print secret, token and code.
fun api(service: String, accessToken: String): EnrollmentApi =
    ApiClient(baseUrl = service, authName = "accessToken", bearerToken = accessToken).createService(EnrollmentApi::class.java)

/** show opens enrollment.otpauthUri, and shows enrollment.secret where no app opens it. */
suspend fun start(api: EnrollmentApi, show: (Enrollment) -> Unit) {
    val reply = api.startTotp(StartTotpRequest())
    show(reply.body() ?: throw Refused(reply.code(), reply.errorBody()?.string()))
}

suspend fun verify(api: EnrollmentApi, code: String): Boolean {
    val reply = api.verifyTotp(VerifyTotpRequest(code = code, deviceName = android.os.Build.MODEL))
    val result = reply.body() ?: throw Refused(reply.code(), reply.errorBody()?.string())
    return when (val outcome = result.actualInstance) {
        is VerifiedAndEnabled -> outcome.mfa.totp.enabled
        is VerifiedAndSignedIn -> true      // outcome.tokens, in mid-sign-in
        else -> false                       // VerifiedAndChallenged, Verified
    }
}

/** body is a problem document: branch on its code, show its detail. */
class Refused(val status: Int, val body: String?) : Exception("status $status")
