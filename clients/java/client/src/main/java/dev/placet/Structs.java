package dev.placet;

import com.google.protobuf.ListValue;
import com.google.protobuf.NullValue;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Between the values of {@link JsonValue} and protobuf's Struct: answers hold it, and older servers take nothing
 * else.
 */
final class Structs {
    private Structs() {}

    static Struct of(Map<?, ?> members) {
        var struct = Struct.newBuilder();
        members.forEach((name, value) -> struct.putFields((String) name, value(value)));
        return struct.build();
    }

    static Map<String, Object> plain(Struct struct) {
        var members = new LinkedHashMap<String, Object>();
        struct.getFieldsMap().forEach((name, value) -> members.put(name, plain(value)));
        return members;
    }

    private static Value value(Object value) {
        var made = Value.newBuilder();
        if (value instanceof Map<?, ?> map) {
            return made.setStructValue(of(map)).build();
        } else if (value instanceof List<?> list) {
            return made.setListValue(ListValue.newBuilder().addAllValues(list.stream().map(Structs::value).toList()))
                    .build();
        } else if (value instanceof String text) {
            return made.setStringValue(text).build();
        } else if (value instanceof Boolean flag) {
            return made.setBoolValue(flag).build();
        } else if (value instanceof Number number) {
            return made.setNumberValue(number.doubleValue()).build();
        }
        return made.setNullValue(NullValue.NULL_VALUE).build();
    }

    private static Object plain(Value value) {
        return switch (value.getKindCase()) {
            case STRUCT_VALUE -> plain(value.getStructValue());
            case LIST_VALUE -> value.getListValue().getValuesList().stream().map(Structs::plain).toList();
            case STRING_VALUE -> value.getStringValue();
            case BOOL_VALUE -> value.getBoolValue();
            case NUMBER_VALUE -> value.getNumberValue();
            case NULL_VALUE, KIND_NOT_SET -> null;
        };
    }
}
