/* number.c: exact comparison, decimal multiples, and text of numbers. */
#include "validate/number.h"

#include "validate/hash.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double INT64_LIMIT = 9223372036854775808.0;   /* 2^63 */
static const double UINT64_LIMIT = 18446744073709551616.0; /* 2^64 */

bool double_is_integer(double value) {
    return isfinite(value) && trunc(value) == value;
}

struct number number_from_double(double value) {
    if (double_is_integer(value)) {
        if (value >= -INT64_LIMIT && value < INT64_LIMIT) {
            return (struct number){.kind = NUMBER_INT, .as.i = (int64_t)value};
        }
        if (value > 0 && value < UINT64_LIMIT) {
            return (struct number){.kind = NUMBER_UINT, .as.u = (uint64_t)value};
        }
    }
    return (struct number){.kind = NUMBER_DOUBLE, .as.d = value};
}

struct number number_of(struct wire_value value) {
    enum wire_kind kind = wire_value_kind(value);
    if (kind == WIRE_INT) {
        return (struct number){.kind = NUMBER_INT, .as.i = wire_value_int(value)};
    }
    if (kind == WIRE_UINT) {
        return (struct number){.kind = NUMBER_UINT, .as.u = wire_value_uint(value)};
    }
    return number_from_double(wire_value_float(value));
}

bool number_is_integer(struct number number) {
    return number.kind != NUMBER_DOUBLE || double_is_integer(number.as.d);
}

/* A double against what no double is equal to here: `a` is beyond 64 bits or has a fraction. */
static int compare_double(double a, struct number b) {
    if (isnan(a)) {
        return 2;
    }
    if (b.kind == NUMBER_UINT) {
        if (a >= UINT64_LIMIT) {
            return 1;
        }
        return a >= 0 && (uint64_t)a >= b.as.u ? 1 : -1;
    }
    if (a >= INT64_LIMIT) {
        return 1;
    }
    if (a < -INT64_LIMIT) {
        return -1;
    }
    /* floor(a) < a < floor(a) + 1, so the integer is below a exactly if it is at most floor(a). */
    return (int64_t)floor(a) >= b.as.i ? 1 : -1;
}

int number_compare(struct number a, struct number b) {
    if (a.kind == NUMBER_INT && b.kind == NUMBER_INT) {
        return (a.as.i > b.as.i) - (a.as.i < b.as.i);
    }
    if (a.kind == NUMBER_DOUBLE && b.kind == NUMBER_DOUBLE) {
        if (isnan(a.as.d) || isnan(b.as.d)) {
            return 2;
        }
        return (a.as.d > b.as.d) - (a.as.d < b.as.d);
    }
    if (a.kind == NUMBER_DOUBLE) {
        return compare_double(a.as.d, b);
    }
    if (b.kind == NUMBER_DOUBLE) {
        int reversed = compare_double(b.as.d, a);
        return reversed == 2 ? 2 : -reversed;
    }
    if (a.kind == NUMBER_UINT && b.kind == NUMBER_UINT) {
        return (a.as.u > b.as.u) - (a.as.u < b.as.u);
    }
    return a.kind == NUMBER_UINT ? 1 : -1;
}

uint64_t number_hash(struct number number) {
    uint64_t bits;
    memcpy(&bits, &number.as, sizeof bits);
    return hash_number(bits, HASH_SEED + (uint64_t)number.kind);
}

/* ---- decimals ---- */

static struct decimal strip_zeros(uint64_t digits, int32_t exponent) {
    if (digits == 0) {
        return (struct decimal){.finite = true};
    }
    while (digits % 10 == 0) {
        digits /= 10;
        exponent++;
    }
    return (struct decimal){.digits = digits, .exponent = exponent, .finite = true};
}

/* By printing and reading back, for the few doubles that the short way does not reach. Either function may write and
 * read the decimal point of the host's locale: digits alone are looked at. */
static struct decimal decimal_by_text(double value) {
    char text[40];
    /* Fifteen digits name every number but the subnormal ones, which have fewer of their own. */
    for (int precision = value < DBL_MIN ? 0 : 14; precision <= 16; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    uint64_t digits = 0;
    int32_t decimals = -1; /* the first digit stands before the point */
    const char *c = text;
    for (; *c != 'e' && *c != '\0'; c++) {
        if (*c >= '0' && *c <= '9') {
            digits = digits * 10 + (uint64_t)(*c - '0');
            decimals++;
        }
    }
    int32_t exponent = *c == 'e' ? (int32_t)strtol(c + 1, NULL, 10) : 0;
    return strip_zeros(digits, exponent - decimals);
}

static struct decimal decimal_from_double(double value) {
    static const double TENS[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    static const double EXACT_MAX = 9007199254740992.0; /* 2^53 */
    if (!isfinite(value)) {
        return (struct decimal){0};
    }
    value = fabs(value);
    /* n / 10^k of two numbers that a double holds exactly is the double nearest to that decimal: if it is `value`, then
     * the decimal reads back as it, and the smallest such k gives the shortest. */
    for (int k = 0; k < (int)(sizeof TENS / sizeof TENS[0]); k++) {
        double scaled = nearbyint(value * TENS[k]);
        if (scaled > EXACT_MAX) {
            break;
        }
        if (scaled / TENS[k] == value) {
            return strip_zeros((uint64_t)scaled, -k);
        }
    }
    return decimal_by_text(value);
}

struct decimal decimal_from_number(struct number number) {
    switch (number.kind) {
    case NUMBER_INT: {
        uint64_t bits = (uint64_t)number.as.i;
        return strip_zeros(number.as.i < 0 ? 0 - bits : bits, 0);
    }
    case NUMBER_UINT:
        return strip_zeros(number.as.u, 0);
    case NUMBER_DOUBLE:
        break;
    }
    return decimal_from_double(number.as.d);
}

static uint64_t multiply_modulo(uint64_t a, uint64_t b, uint64_t modulus) {
    return (uint64_t)((hash_wide)a * b % modulus);
}

bool decimal_is_multiple(struct decimal value, struct decimal divisor) {
    if (!value.finite || !divisor.finite || divisor.digits == 0) {
        return false;
    }
    if (value.digits == 0) {
        return true;
    }
    int32_t shift = value.exponent - divisor.exponent;
    if (shift < 0) {
        if (shift < -19) {
            return false; /* the digits would have to end in more than 19 zeros */
        }
        hash_wide wide = divisor.digits;
        for (; shift < 0; shift++) {
            wide *= 10;
        }
        return value.digits % wide == 0;
    }
    uint64_t modulus = divisor.digits;
    uint64_t rest = value.digits % modulus;
    uint64_t power = 10 % modulus;
    for (; shift > 0; shift >>= 1) {
        if ((shift & 1) != 0) {
            rest = multiply_modulo(rest, power, modulus);
        }
        power = multiply_modulo(power, power, modulus);
    }
    return rest == 0;
}

void number_print(struct number number, char text[NUMBER_TEXT_SIZE]) {
    if (number.kind == NUMBER_INT) {
        snprintf(text, NUMBER_TEXT_SIZE, "%lld", (long long)number.as.i);
        return;
    }
    if (number.kind == NUMBER_UINT) {
        snprintf(text, NUMBER_TEXT_SIZE, "%llu", (unsigned long long)number.as.u);
        return;
    }
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(text, NUMBER_TEXT_SIZE, "%.*g", precision, number.as.d);
        if (strtod(text, NULL) == number.as.d) {
            break;
        }
    }
    for (char *c = text; *c != '\0'; c++) {
        if (*c == ',') {
            *c = '.'; /* the host's locale */
        }
    }
}
