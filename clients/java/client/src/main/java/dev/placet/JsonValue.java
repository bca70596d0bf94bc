package dev.placet;

import java.lang.reflect.RecordComponent;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Java values in the forms in which they travel as JSON, copied; {@link IllegalArgumentException} with the path of what
 * has none, so that nothing is dropped or changed on the way.
 *
 * <p>null, Boolean, String, whole numbers, finite fractions, lists, maps with names of text, records (an object of
 * their components) and enums (their name) have one. Arrays, dates, sets, optionals and everything else have none.
 */
final class JsonValue {
    /** The largest whole number that every reader of I-JSON (RFC 7493) keeps as it is. */
    private static final long LARGEST = (1L << 53) - 1;

    private final int nesting;
    private final boolean exact;

    private JsonValue(int nesting, boolean exact) {
        this.nesting = nesting;
        this.exact = exact;
    }

    /** The members of a map or a record, of at most so many levels, with numbers that every reader of JSON keeps. */
    static Map<String, Object> members(Object value, String path, int nesting) {
        return new JsonValue(nesting, false).object(value, path);
    }

    /** The members of a row, where a number may be as long as it is. */
    static Map<String, Object> row(Object value, String path, int nesting) {
        return new JsonValue(nesting, true).object(value, path);
    }

    /** A text that can be sent as it is. */
    static String text(String text, String path) {
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(path + " contains U+0000");
        }
        text.codePoints().filter(point -> point >= 0xD800 && point <= 0xDFFF).findAny().ifPresent(half -> {
            throw new IllegalArgumentException(path + " contains half of a surrogate pair");
        });
        return text;
    }

    private Map<String, Object> object(Object value, String path) {
        if (value instanceof Map<?, ?> || value instanceof Record) {
            return value instanceof Record held ? components(held, path, 1) : map((Map<?, ?>) value, path, 1);
        }
        throw none(value, path);
    }

    private Object of(Object value, String path, int depth) {
        if (value == null || value instanceof Boolean) {
            return value;
        } else if (value instanceof String text) {
            return text(text, path);
        } else if (value instanceof Text meant) {
            return text(meant.text(), path);
        } else if (value instanceof Enum<?> constant) {
            return text(constant.name(), path);
        } else if (value instanceof Number number) {
            return number(number, path);
        } else if (value instanceof Map<?, ?> map) {
            return map(map, path, depth + 1);
        } else if (value instanceof Record held) {
            return components(held, path, depth + 1);
        } else if (value instanceof List<?> list) {
            return list(list, path, depth + 1);
        }
        throw none(value, path);
    }

    private Map<String, Object> map(Map<?, ?> map, String path, int depth) {
        requireWithin(depth, path);
        var members = new LinkedHashMap<String, Object>();
        map.forEach((name, value) -> {
            if (!(name instanceof String text)) {
                throw new IllegalArgumentException(path + " has the name " + name + ", which is not text");
            }
            String inner = path + "." + text;
            members.put(text(text, inner), of(value, inner, depth));
        });
        return members;
    }

    private Map<String, Object> components(Record held, String path, int depth) {
        requireWithin(depth, path);
        var members = new LinkedHashMap<String, Object>();
        for (RecordComponent component : held.getClass().getRecordComponents()) {
            String inner = path + "." + component.getName();
            members.put(component.getName(), of(read(component, held, inner), inner, depth));
        }
        return members;
    }

    private static Object read(RecordComponent component, Record held, String path) {
        try {
            component.getAccessor().setAccessible(true); // its record may be private
            return component.getAccessor().invoke(held);
        } catch (ReflectiveOperationException | RuntimeException error) {
            throw new IllegalArgumentException(path + " cannot be read", error);
        }
    }

    private List<Object> list(List<?> list, String path, int depth) {
        requireWithin(depth, path);
        var items = new ArrayList<Object>();
        for (Object item : list) {
            items.add(of(item, path + "[" + items.size() + "]", depth));
        }
        return items;
    }

    private Number number(Number number, String path) {
        if (number instanceof Double || number instanceof Float) {
            return fraction(number.doubleValue(), path);
        } else if (exact && (number instanceof BigInteger || number instanceof BigDecimal)) {
            return number;
        } else if (number instanceof Long || number instanceof Integer || number instanceof Short
                || number instanceof Byte || number instanceof BigInteger whole && whole.bitLength() < Long.SIZE) {
            long value = number.longValue();
            if (exact || value >= -LARGEST && value <= LARGEST) {
                return value;
            }
        }
        if (number instanceof Long || number instanceof BigInteger) {
            throw new IllegalArgumentException(path + " is a whole number beyond 2^53-1; send a text");
        }
        throw none(number, path);
    }

    private Number fraction(double value, String path) {
        if (!Double.isFinite(value)) {
            throw new IllegalArgumentException(path + " is " + value + ", which is not a finite number");
        } else if (exact || value != Math.rint(value)) {
            return value;
        } else if (Math.abs(value) > LARGEST) {
            throw new IllegalArgumentException(path + " is a whole number beyond 2^53-1; send a text");
        }
        return (long) value;
    }

    private void requireWithin(int depth, String path) {
        if (depth > nesting) {
            throw new IllegalArgumentException(path + " nests deeper than " + nesting + " levels");
        }
    }

    private static IllegalArgumentException none(Object value, String path) {
        String type = value == null ? "null" : value.getClass().getSimpleName();
        return new IllegalArgumentException(path + " is a value of type " + type + ", which has no JSON form here");
    }
}
