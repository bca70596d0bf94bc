package dev.placet;

import com.google.protobuf.Message;
import dev.placet.pdp.v1.GetServerInfoResponse;
import dev.placet.pdp.v1.Subject;
import java.util.Map;

/** Fills the contract's messages with the fields that one server knows. */
record Fill(GetServerInfoResponse facts) {
    /** A subject of its members. */
    Subject subject(Object members) {
        var held = (Map<?, ?>) members;
        return properties(held, Subject.newBuilder().setType((String) held.get("type")).setId((String) held.get("id")))
                .build();
    }

    /** The builder with the properties among the members. */
    <B extends Message.Builder> B properties(Object members, B builder) {
        return put(((Map<?, ?>) members).get("properties"), "properties", builder);
    }

    /**
     * The builder with an object in the field of this name: as text, or as a Struct for a server that knows no text.
     */
    <B extends Message.Builder> B put(Object object, String name, B builder) {
        boolean asText = facts.getFeaturesList().contains(name + "_json");
        if (!((Map<?, ?>) object).isEmpty()) {
            var field = builder.getDescriptorForType().findFieldByName(asText ? name + "_json" : name);
            builder.setField(field, asText ? Canonical.json(object) : Structs.of((Map<?, ?>) object));
        }
        return builder;
    }

    /** The builder with the digest of what is sent, which the server compares with what arrived. */
    <B extends Message.Builder> B digest(Map<String, Object> members, B builder) {
        if (facts.getFeaturesList().contains("expected_digest")) {
            builder.setField(builder.getDescriptorForType().findFieldByName("expected_digest"),
                    Canonical.digest(Canonical.json(members), facts.getRealm()));
        }
        return builder;
    }
}
