package dev.placet;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The canonical form of JSON (RFC 8785) of what {@link JsonValue} gives, and the digest over it. */
final class Canonical {
    /** Digits that every double has enough of to be told from all others. */
    private static final int MOST_DIGITS = 17;
    /** Powers of ten between which ECMAScript writes no exponent. */
    private static final int PLAIN_ABOVE = -6;
    private static final int PLAIN_BELOW = 21;

    private Canonical() {}

    /** The canonical text of a value. */
    static String json(Object value) {
        var text = new StringBuilder();
        write(value, text);
        return text.toString();
    }

    /** The request digest of a canonical request in a realm. */
    static String digest(String json, String realm) {
        return sha256("placet/v1\n" + realm + "\n" + json);
    }

    /** The SHA-256 of a text, in unpadded base64url. */
    static String sha256(String text) {
        try {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            return Base64.getUrlEncoder().withoutPadding()
                    .encodeToString(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException error) {
            throw new AssertionError("every Java has SHA-256", error);
        }
    }

    private static void write(Object value, StringBuilder text) {
        if (value instanceof Map<?, ?> map) {
            char before = '{';
            for (var member : new TreeMap<>(map).entrySet()) { // Java compares text by UTF-16 units, as RFC 8785 wants
                quote((String) member.getKey(), text.append(before));
                write(member.getValue(), text.append(':'));
                before = ',';
            }
            text.append(map.isEmpty() ? "{}" : "}");
        } else if (value instanceof List<?> list) {
            char before = '[';
            for (Object item : list) {
                write(item, text.append(before));
                before = ',';
            }
            text.append(list.isEmpty() ? "[]" : "]");
        } else if (value instanceof String held) {
            quote(held, text);
        } else if (value instanceof Double number) {
            text.append(fraction(number));
        } else {
            text.append(value);
        }
    }

    private static void quote(String held, StringBuilder text) {
        text.append('"');
        for (char unit : held.toCharArray()) {
            switch (unit) {
                case '"', '\\' -> text.append('\\').append(unit);
                case '\b' -> text.append("\\b");
                case '\t' -> text.append("\\t");
                case '\n' -> text.append("\\n");
                case '\f' -> text.append("\\f");
                case '\r' -> text.append("\\r");
                default -> {
                    if (unit < ' ') {
                        text.append(String.format("\\u%04x", (int) unit));
                    } else {
                        text.append(unit);
                    }
                }
            }
        }
        text.append('"');
    }

    /** ECMAScript's Number::toString of a number that is not whole: Java 17's own is not always the shortest. */
    static String fraction(double number) {
        BigDecimal shortest = shortest(Math.abs(number)).stripTrailingZeros();
        String digits = shortest.unscaledValue().toString();
        int point = digits.length() - shortest.scale();
        String sign = number < 0 ? "-" : "";
        if (point > PLAIN_ABOVE && point <= PLAIN_BELOW) {
            return sign + shortest.toPlainString();
        }
        String rest = digits.length() > 1 ? "." + digits.substring(1) : "";
        return sign + digits.charAt(0) + rest + (point > 0 ? "e+" : "e") + (point - 1);
    }

    /** The decimal with the fewest digits that reads back as this double; of several the nearest to it. */
    private static BigDecimal shortest(double number) {
        var held = new BigDecimal(number);
        for (int digits = 1; digits < MOST_DIGITS; digits++) {
            var below = held.round(new MathContext(digits, RoundingMode.DOWN));
            var above = held.round(new MathContext(digits, RoundingMode.UP));
            // Both, because beside a power of two the nearest one may read back as another double.
            var fitting = Stream.of(below, above).filter(one -> one.doubleValue() == number)
                    .reduce((one, other) -> nearest(held, one, other));
            if (fitting.isPresent()) {
                return fitting.get();
            }
        }
        return held.round(new MathContext(MOST_DIGITS, RoundingMode.HALF_EVEN));
    }

    private static BigDecimal nearest(BigDecimal held, BigDecimal below, BigDecimal above) {
        int order = held.subtract(below).compareTo(above.subtract(held));
        return order < 0 || order == 0 && !below.unscaledValue().testBit(0) ? below : above;
    }
}
