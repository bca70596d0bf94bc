package dev.placet;

import dev.placet.pdp.v1.GetServerInfoResponse;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ConnectivityState;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.Set;
import java.util.function.Supplier;

/**
 * What the server says of itself. It is forgotten where another server may be there by now: once the connection has
 * ended, and after an error of any call that an update can be the cause of.
 */
final class Facts implements ClientInterceptor {
    /** INVALID_ARGUMENT stands for REQUEST_DIFFERS, DIGEST_REQUIRED, and a field that an older server does not know. */
    private static final Set<Status.Code> OF_ANOTHER_SERVER =
            Set.of(Status.Code.UNAVAILABLE, Status.Code.INVALID_ARGUMENT);

    private final ManagedChannel connection;
    private volatile GetServerInfoResponse known;

    Facts(ManagedChannel connection) {
        this.connection = connection;
    }

    /** What is known, or what is asked for. */
    GetServerInfoResponse or(Supplier<GetServerInfoResponse> asked) {
        var facts = known;
        if (facts == null) {
            facts = asked.get();
            known = facts;
            connection.notifyWhenStateChanged(ConnectivityState.READY, this::forget);
        }
        return facts;
    }

    void forget() {
        known = null;
    }

    @Override
    public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
        return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
            @Override
            public void start(Listener<A> listener, Metadata headers) {
                super.start(new SimpleForwardingClientCallListener<>(listener) {
                    @Override
                    public void onClose(Status status, Metadata trailers) {
                        if (OF_ANOTHER_SERVER.contains(status.getCode())) {
                            forget();
                        }
                        super.onClose(status, trailers);
                    }
                }, headers);
            }
        };
    }
}
