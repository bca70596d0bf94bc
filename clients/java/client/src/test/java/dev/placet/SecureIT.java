package dev.placet;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** TLS with an authority, and with client certificates. The servers are those of tests/languages/secure.py. */
final class SecureIT {
    private static final String ADDRESS = System.getenv("PDP_TLS_ADDRESS");
    private static final String DEMANDING = System.getenv("PDP_TLS_CLIENT_ADDRESS");
    private static final String TOKEN = System.getenv("PDP_TLS_TOKEN");

    @Test
    void tlsIsWithTheServersOwnAuthority() {
        assertEquals("user:alice", identity(at(ADDRESS, TOKEN).ca(file("authority.pem"))));
        assertEquals("UNAVAILABLE", identity(at(ADDRESS, TOKEN).ca(file("other.pem"))));
        assertEquals("UNAVAILABLE", identity(at(ADDRESS, TOKEN)), "plaintext");
    }

    @Test
    void aClientCertificateIsOneOfThatAuthority() {
        assertEquals("bot:report-bot", identity(certified("client")));
        assertEquals("UNAVAILABLE", identity(certified("other-client")));
        assertEquals("UNAVAILABLE", identity(at(DEMANDING, TOKEN).ca(file("authority.pem"))), "no certificate");
    }

    private static PlacetClient.Builder at(String address, String token) {
        return PlacetClient.builder().address(address).token(token).timeout(Duration.ofSeconds(3));
    }

    private static PlacetClient.Builder certified(String name) {
        return at(DEMANDING, "").ca(file("authority.pem")).certificate(file(name + ".crt"), file(name + ".key"));
    }

    private static Path file(String name) {
        return Path.of(System.getenv("PDP_TLS_FOLDER"), name);
    }

    /** Whom the server takes a client for, or the code of the error. */
    private static String identity(PlacetClient.Builder builder) {
        try (var client = builder.build()) {
            return client.serverInfo().getCaller().getIdentity();
        } catch (PlacetException error) {
            return error.code();
        }
    }
}
