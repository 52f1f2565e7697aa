"""Refusals of the fake platform: codes, their English sentences, and the exceptions that carry them."""

from typing import Any

MESSAGES: dict[int, str] = {
    -32: "Your OA reached limit call api",
    -100: "attachment_id is expired",
    -101: "Application invalid",
    -108: "Phone number invalid",
    -109: "Template id invalid",
    -111: "Template data empty",
    -1122: "Template parameter missing",
    -1121: "Parameter longer than its maximum",
    -118: "Zalo account does not exist or is deactivated",
    -121: "Request body empty",
    -122: "Request body is not JSON",
    -124: "Access token invalid",
    -127: "Test template may only go to administrators",
    -131: "Template not approved",
    -132: "Parameter invalid",
    -135: "OA may not send templates: not verified, or on a free package",
    -136: "A ZBS account must be linked",
    -137: "ZBS account could not be charged",
    -133: "This template cannot be sent at night",
    -141: "User refuses messages from this OA",
    -144: "OA used its daily sending limit",
    -146: "Template is disabled",
    -161: "sending_mode value not allowed",
    -200: "Sending failed",
    -201: "Parameter is invalid",
    -204: "Official Account is disabled",
    -205: "Official Account does not exist",
    -209: "This API is not supported because the app is not activated",
    -210: "Parameter exceeds the allowed limit",
    -211: "Out of quota for this feature",
    -212: "Official Account has not registered this API",
    -213: "User has not followed this Official Account",
    -214: "Article is being processed",
    -216: "Access token is invalid",
    -217: "User blocked invitations from this Official Account",
    -218: "Receiving limit of this user is reached",
    -219: "App is removed or disabled",
    -220: "Access token has expired",
    -221: "Official Account is not verified",
    -223: "Official Account has not authorized this API",
    -224: "Official Account package does not cover this feature",
    -227: "User is locked or has been inactive for more than 45 days",
    -230: "User has not interacted with the OA in the past 7 days",
    -232: "User has not interacted with the OA, or the last interaction has expired",
    -233: "Message type is invalid or not supported",
    -234: "This message type cannot be sent between 22:00 and 06:00",
    -235: "This API does not support this type of Official Account",
    -240: "This API has been shut down, use v3",
    -244: "User restricted this message type from this Official Account",
    -248: "Content violates platform standards",
    -249: "Template cannot be sent by UID",
    -320: "App must be linked with a Zalo Cloud account",
    -321: "Zalo Cloud account is out of money",
}

OAUTH_NAMES: dict[int, tuple[str, str]] = {
    -14002: ("Invalid app id", "The app id does not exist or the app is inactive"),
    -14003: ("Invalid redirect uri", "The redirect uri is not the callback saved for the app"),
    -14004: ("Invalid secret key", "The secret_key header does not belong to the app"),
    -14005: ("Invalid authorization code", "The authorization code is wrong, expired or was used"),
    -14014: ("Invalid refresh token", "The refresh token is wrong, expired or was used"),
    -14018: ("Invalid grant type", "grant_type must be authorization_code or refresh_token"),
}


class ApiError(Exception):
    """A refusal by the OA or template API: an error number and a sentence in the body, HTTP 200."""

    def __init__(self, code: int, detail: str = "") -> None:
        sentence = MESSAGES.get(code, "Request failed")
        super().__init__(f"{sentence}: {detail}" if detail else sentence)
        self.code = code


class OAuthError(Exception):
    """A refusal by the token endpoint, which answers HTTP 200 with error_name and companions."""

    def __init__(self, code: int) -> None:
        self.code = code
        self.name, self.description = OAUTH_NAMES.get(code, ("Unknown error", "The request was refused"))
        super().__init__(self.name)

    def body(self) -> dict[str, Any]:
        """Return the answer body (shape by api.md section 2, row Errors)."""
        return {
            "error_name": self.name,
            "error_reason": self.description,
            "ref_doc": "https://developers.zalo.me/docs/official-account/",
            "error_description": self.description,
            "error": self.code,
        }


class VerbError(Exception):
    """A control request that cannot be carried out; the sentence says why."""
