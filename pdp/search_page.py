"""The token of a search's next page: signed, and good for one caller, one query and one revision of the policy."""

from dataclasses import asdict, dataclass

from joserfc.jwk import OKPKey

from pdp import jws
from pdp.errors import InvalidRequest

TYPE = "placet-search-page+jwt"
"""The `typ`, so that no other signature by the key `seal` is taken for a page."""
_FIELD = "page.token"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: its first candidate, counted from 0, of what a caller asked under a revision."""

    caller: str
    query: str
    policy_revision: str
    first: int


@dataclass(frozen=True, slots=True)
class Pages:
    """Signs and reads tokens with the key `seal`, in a realm's name."""

    key: OKPKey
    realm: str

    def token(self, place: Place) -> str:
        """The token of a page."""
        return jws.signed(TYPE, {"realm": self.realm, **asdict(place)}, self.key)

    def place(self, token: str, caller: str, query: str) -> Place:
        """Where the page of a token begins. Raises `InvalidRequest` unless it is of this caller and this query."""
        try:
            claims = jws.claims(token, self.key) if jws.header(token).get("typ") == TYPE else {}
        except ValueError:
            claims = {}
        if claims.pop("realm", None) != self.realm:
            raise InvalidRequest.field(_FIELD, "is not one of this server; begin again without it")
        place = Place(**claims)
        if (place.caller, place.query) != (caller, query):
            raise InvalidRequest.field(_FIELD, "is of another search; send the same query, or begin again without it")
        return place

    @staticmethod
    def require_revision(place: Place, revision: str) -> None:
        """Raise `InvalidRequest` if the policy is another one by now: what was found before may be wrong."""
        if place.policy_revision != revision:
            raise InvalidRequest.field(_FIELD, "is of an earlier policy; begin again without it")
