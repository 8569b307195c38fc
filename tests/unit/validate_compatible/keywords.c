/* keywords.c: each keyword, narrowed and widened: the kind, both paths, the witness. */
#include "support.h"

Test(validate_compatible_keywords, a_narrower_type_is_told_with_a_value_of_the_lost_type) {
    expect_yes("{'type': 'integer'}", "{'type': 'number'}");
    expect_yes("{'type': 'string'}", "{'type': ['string', 'null']}");
    expect_no("{'type': 'number'}", "{'type': 'integer'}", "type_narrowed", "/type", "/type", "0.5");
    expect_no("{'type': ['string', 'null']}", "{'type': 'string'}", "type_narrowed", "/type", "/type", "null");
    expect_no("{}", "{'type': 'string'}", "type_narrowed", "/type", "/type", NULL);
}
