package dev.placet;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The proof of one allow, checked offline: a compact JWS whose rules stand at {@code AuthorizeResponse.grant}.
 *
 * @param decisionId the decision that it proves
 * @param approvalId the approval that was used; empty where none was
 * @param issuedAt seconds of the epoch
 * @param expiresAt seconds of the epoch
 */
public record Grant(String decisionId, String approvalId, long issuedAt, long expiresAt) {
    /** Seconds for which a grant is valid: the contract promises 30 s. */
    private static final long LIFETIME_SECONDS = 30;
    /** Seconds by which this clock may be behind the server's. */
    private static final long SKEW_SECONDS = 5;
    /** It bounds what is parsed. */
    private static final int MAX_BYTES = 8 * 1024;
    private static final int SIGNATURE_BYTES = 64;
    private static final Pattern FORM = Pattern.compile("[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+");
    private static final Set<String> ALGORITHMS = Set.of("EdDSA", "Ed25519");
    /** What stands before the 32 bytes of an Ed25519 key in its X.509 form (RFC 8410). */
    private static final byte[] KEY_PREFIX = HexFormat.of().parseHex("302a300506032b6570032100");

    /**
     * The grant in a text, if it lets a request with this digest run now.
     *
     * @param jwks {@code GetServerInfo.jwks}
     * @param caller {@code GetServerInfo.caller.identity}
     * @param realm {@code GetServerInfo.realm}
     * @throws PlacetException GRANT_INVALID, whose metadata's {@code check} names the rule that it breaks
     */
    public static Grant verified(String text, String jwks, String caller, String realm, String digest, Instant now) {
        if (text.length() > MAX_BYTES || !FORM.matcher(text).matches()) {
            throw invalid("form", "it is not a compact JWS");
        }
        String[] parts = text.split("\\.");
        requireSigned(parts, key(header(parts[0]), jwks));
        var claims = claims(parts[1]);
        requireEqual("iss", claims, realm, "it is for another realm");
        requireEqual("aud", claims, caller, "it is for another caller");
        requireEqual("digest", claims, digest, "it is for another request than the one that is about to run");
        var grant = new Grant(claims.get("jti").textValue(), claims.path("approval").asText(),
                claims.get("iat").longValue(), claims.get("exp").longValue());
        if (now.getEpochSecond() >= grant.expiresAt) {
            throw invalid("exp", "it is over: it is valid for 30 s; or this clock is ahead");
        } else if (now.isBefore(Instant.ofEpochSecond(grant.issuedAt - SKEW_SECONDS))) {
            throw invalid("iat", "it is not valid yet: this clock is behind the server's");
        }
        return grant;
    }

    private static JsonNode header(String part) {
        var header = json(part, "form");
        if (!header.path("typ").asText().equals("placet-grant+jwt")) {
            throw invalid("typ", "its typ is not of a grant");
        } else if (!ALGORITHMS.contains(header.path("alg").asText())) {
            throw invalid("alg", "its alg is not EdDSA or Ed25519");
        } else if (!names(header).equals(Set.of("typ", "alg", "kid"))) {
            throw invalid("header", "its header has other members than a grant's");
        }
        return header;
    }

    private static PublicKey key(JsonNode header, String jwks) {
        try {
            var named = new ArrayList<JsonNode>();
            for (JsonNode key : Json.STRICT.readTree(jwks).path("keys")) {
                if (key.path("kid").equals(header.get("kid"))) {
                    named.add(key);
                }
            }
            var wanted = List.of("OKP", "Ed25519", "grant");
            if (named.size() == 1 && wanted.equals(texts(named.get(0), "kty", "crv", "placet_use"))) {
                byte[] point = Base64.getUrlDecoder().decode(named.get(0).path("x").asText());
                byte[] encoded = new byte[KEY_PREFIX.length + point.length];
                System.arraycopy(KEY_PREFIX, 0, encoded, 0, KEY_PREFIX.length);
                System.arraycopy(point, 0, encoded, KEY_PREFIX.length, point.length);
                return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded));
            }
        } catch (JsonProcessingException | GeneralSecurityException | IllegalArgumentException error) {
            throw invalid("kid", "its key is not published as an Ed25519 key");
        }
        throw invalid("kid", "no published grant key has its kid");
    }

    private static void requireSigned(String[] parts, PublicKey key) {
        try {
            var signature = Signature.getInstance("Ed25519");
            signature.initVerify(key);
            signature.update((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII));
            byte[] bytes = decoded(parts[2], "signature");
            // Java takes zeros behind a signature for a part of it, which would be another text for the same grant.
            if (bytes.length == SIGNATURE_BYTES && signature.verify(bytes)) {
                return;
            }
        } catch (GeneralSecurityException error) {
            // a signature of another length or form is none
        }
        throw invalid("signature", "its signature is not of this key");
    }

    /** The claims, which have exactly the names and types that a grant's have. */
    private static JsonNode claims(String part) {
        var claims = json(part, "claims");
        var texts = new ArrayList<>(List.of("iss", "aud", "digest", "jti"));
        if (claims.has("approval")) {
            texts.add("approval");
        }
        for (String name : texts) {
            if (claims.path(name).asText().isEmpty() || !claims.get(name).isTextual()) {
                throw invalid(name, "it has no " + name);
            }
        }
        for (String name : List.of("exp", "iat")) {
            if (!claims.path(name).isLong()) {
                throw invalid(name, "it has no " + name);
            }
            texts.add(name);
        }
        var strange = names(claims);
        texts.forEach(strange::remove);
        if (!strange.isEmpty()) {
            throw invalid(strange.iterator().next(), "it has other claims than a grant");
        } else if (claims.get("exp").longValue() - claims.get("iat").longValue() != LIFETIME_SECONDS) {
            throw invalid("exp", "it is valid for another time than a grant");
        }
        return claims;
    }

    private static void requireEqual(String name, JsonNode claims, String wanted, String why) {
        if (!claims.get(name).textValue().equals(wanted)) {
            throw invalid(name, why);
        }
    }

    private static JsonNode json(String part, String check) {
        try {
            var read = Json.STRICT.readTree(new String(decoded(part, check), StandardCharsets.UTF_8));
            if (read.isObject()) {
                return read;
            }
        } catch (JsonProcessingException error) {
            // as below
        }
        throw invalid(check, "a part of it is not a JSON object");
    }

    private static byte[] decoded(String part, String check) {
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(part);
            if (Base64.getUrlEncoder().withoutPadding().encodeToString(bytes).equals(part)) {
                return bytes; // else it is another text for the same bytes
            }
        } catch (IllegalArgumentException error) {
            // as below
        }
        throw invalid(check, "a part of it is not base64url");
    }

    private static Set<String> names(JsonNode object) {
        var names = new HashSet<String>();
        for (Iterator<String> each = object.fieldNames(); each.hasNext(); ) {
            names.add(each.next());
        }
        return names;
    }

    private static List<String> texts(JsonNode object, String... names) {
        return List.of(names).stream().map(name -> object.path(name).asText()).toList();
    }

    private static PlacetException invalid(String check, String why) {
        return PlacetException.grantInvalid(check, "the grant does not count: " + why);
    }

    /** The grants that a program has accepted: each is for one run. */
    public static final class Spent {
        private final Map<String, Long> ends = new HashMap<>();

        /** Remember a verified grant; GRANT_INVALID if it was spent before. */
        public synchronized void spend(Grant grant, Instant now) {
            ends.values().removeIf(end -> end <= now.getEpochSecond());
            if (ends.putIfAbsent(grant.decisionId, grant.expiresAt) != null) {
                throw invalid("jti", "it was used before; another run takes another request id");
            }
        }
    }
}
