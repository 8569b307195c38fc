/* number.h: numbers by value: exact comparison of 64-bit integers with doubles, and multiples in decimal arithmetic. */
#ifndef POLARIS_PLUGIN_VALIDATE_NUMBER_H
#define POLARIS_PLUGIN_VALIDATE_NUMBER_H

#include "wire/document.h"

enum number_kind {
    NUMBER_INT,    /* fits int64 */
    NUMBER_UINT,   /* above INT64_MAX, fits uint64 */
    NUMBER_DOUBLE, /* everything else, infinities and NaN too */
};

/* Always in its smallest kind: 1.0 is NUMBER_INT, so that equal numbers are equal in kind and bits. */
struct number {
    enum number_kind kind;
    union {
        int64_t i;
        uint64_t u;
        double d;
    } as;
};

/* `digits` * 10^exponent; the sign is of no use here. */
struct decimal {
    uint64_t digits;
    int32_t exponent;
    bool finite;
};

struct number number_from_double(double value);
struct number number_of(struct wire_value value); /* WIRE_INT, WIRE_UINT or WIRE_FLOAT */

static inline bool kind_is_number(enum wire_kind kind) {
    return kind == WIRE_INT || kind == WIRE_UINT || kind == WIRE_FLOAT;
}

/* 1.0 and 1e300 are integers. */
bool number_is_integer(struct number number);
bool double_is_integer(double value);

/* -1, 0, 1; 2: NaN is in no order. */
int number_compare(struct number a, struct number b);
uint64_t number_hash(struct number number);

/* The shortest decimal that reads back as the number: 0.1 is 1e-1 and not its binary expansion. */
struct decimal decimal_from_number(struct number number);
/* Is `value` a whole multiple of `divisor`, in exact arithmetic? Neither infinity nor NaN is. A divisor of 0 has none.
 */
bool decimal_is_multiple(struct decimal value, struct decimal divisor);

enum { NUMBER_TEXT_SIZE = 32 };
/* The number as JSON writes it. */
void number_print(struct number number, char text[NUMBER_TEXT_SIZE]);

#endif
