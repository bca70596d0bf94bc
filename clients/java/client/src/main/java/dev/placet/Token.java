package dev.placet;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Supplier;

/** The caller's token, read for each call and sent with it. */
final class Token implements ClientInterceptor {
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    /** How long a token that has ended may be there before the next one, and the pause between two looks. */
    private static final Duration RENEWAL = Duration.ofSeconds(10);
    private static final Duration PAUSE = Duration.ofMillis(200);

    private final Supplier<String> source;

    Token(Supplier<String> source) {
        this.source = source;
    }

    static Supplier<String> in(Path file) {
        return () -> {
            try {
                return Files.readString(file, StandardCharsets.UTF_8).strip();
            } catch (IOException error) {
                throw unavailable("the token file " + file + " cannot be read");
            }
        };
    }

    /** The token of now, which is empty where none is sent. */
    String now() {
        String token = source.get();
        if (!token.chars().allMatch(unit -> unit > ' ' && unit < '\u007f')) {
            throw unavailable("a token has only printable ASCII characters; was something else copied with it?");
        }
        return token;
    }

    /** Whether another token than the used one is there, now or in a moment. */
    boolean isRenewed(String used) throws InterruptedException {
        for (long looks = RENEWAL.dividedBy(PAUSE); looks > 0; looks--) {
            if (!now().equals(used)) {
                return true;
            }
            Thread.sleep(PAUSE.toMillis());
        }
        return false;
    }

    @Override
    public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
        return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
            @Override
            public void start(Listener<A> listener, Metadata headers) {
                String token = now();
                if (!token.isEmpty()) {
                    headers.put(AUTHORIZATION, "Bearer " + token);
                }
                super.start(listener, headers);
            }
        };
    }

    private static PlacetException unavailable(String sentence) {
        return new PlacetException("UNAUTHENTICATED", "TOKEN_UNAVAILABLE", sentence);
    }
}
