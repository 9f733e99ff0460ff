"""Secrets of Azure Key Vault that somebody got hold of, by the RBAC action that it takes."""

VERBS = {
    "microsoft.keyvault/vaults/secrets/getsecret/action": "read",
    "microsoft.keyvault/vaults/secrets/recover/action": "recovered",
    "microsoft.keyvault/vaults/secrets/restore/action": "restored",
}
DONE = ("success", "succeeded")
CALLERS = ("upn", "name", "appid", "oid")
"""Claims that say who called, the most telling first."""


def rule(event):
    action = event.get("operationName") or ""
    result = event.get("resultType") or ""
    return action.lower() in VERBS and result.lower() in DONE


def title(event):
    verb = VERBS[event.get("operationName").lower()]
    return f"Secret {verb} in key vault {vault(event)} by {caller(event)}"


def dedup(event):
    return f"{vault(event)} {caller(event)}".lower()


def alert_context(event):
    return {
        "action": event.get("operationName"),
        "vault": vault(event),
        "secret": event.deep_get("properties", "id") or after("secrets", event),
        "caller": caller(event),
        "address": event.get("callerIpAddress"),
        "correlation": event.get("correlationId"),
    }


def vault(event):
    return after("vaults", event) or "unknown"


def caller(event):
    # The activity log has the claims of the token as a whole, the vault's own log some of them.
    for claims in ("claims", "claim"):
        for name in CALLERS:
            if found := event.deep_get("identity", claims, name):
                return found
    return event.get("callerIpAddress") or "unknown"


def after(kind, event):
    """Return the name that follows a kind of resource in the id of the resource."""
    parts = (event.get("resourceId") or "").split("/")
    kinds = [part.lower() for part in parts]
    if kind not in kinds[:-1]:
        return None
    return parts[kinds.index(kind) + 1]
