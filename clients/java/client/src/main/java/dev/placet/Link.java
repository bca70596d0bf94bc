package dev.placet;

import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.TlsChannelCredentials;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** How a client reaches a server: in plaintext on this machine, by TLS anywhere. */
final class Link {
    private static final Pattern LOCAL = Pattern.compile("(localhost|127(\\.\\d{1,3}){3}|\\[::1]):\\d+|unix:.+");
    /** How long the answer to a ping may take, as a part of the time between two. */
    private static final int ANSWER_PART = 2;

    private Link() {}

    static ManagedChannel opened(String address, Path ca, Path certificate, Path key, Duration keepalive) {
        return Grpc.newChannelBuilder(address, credentials(address, ca, certificate, key))
                .disableRetry() // ours are one attempt
                .proxyDetector(target -> null) // a proxy would see tokens, or refuse this machine's own addresses
                .keepAliveTime(keepalive.toMillis(), TimeUnit.MILLISECONDS)
                .keepAliveTimeout(keepalive.toMillis() / ANSWER_PART, TimeUnit.MILLISECONDS)
                .keepAliveWithoutCalls(true) // else a connection that died meanwhile is noticed only by the next call
                .build();
    }

    private static ChannelCredentials credentials(String address, Path ca, Path certificate, Path key) {
        if ((certificate == null) != (key == null)) {
            throw new IllegalArgumentException("a certificate and its key go together: give both or neither");
        } else if (ca == null && certificate != null) {
            throw new IllegalArgumentException("a certificate goes with TLS: give the server's authority, ca, too");
        } else if (ca == null && !LOCAL.matcher(address).matches()) {
            throw new IllegalArgumentException(address + " is not on this machine, and a token must not travel in "
                    + "plaintext: give ca, the file of the server's authority, for TLS");
        } else if (ca == null) {
            return InsecureChannelCredentials.create();
        }
        try {
            var tls = TlsChannelCredentials.newBuilder().trustManager(ca.toFile());
            return (certificate == null ? tls : tls.keyManager(certificate.toFile(), key.toFile())).build();
        } catch (IOException error) {
            throw new IllegalArgumentException("ca, certificate or key cannot be read: " + error.getMessage(), error);
        }
    }
}
