/* pattern_property.c: what \p{...} may say, and which characters it stands for.
 *
 * ECMA-262 takes names exactly as they are listed there; PCRE2, whose Unicode data serve here, is more lenient. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "validate/pattern_tree.h"
#include "validate/pattern_utf8.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

/* General_Category: the short name, then the others, as ECMA-262 lists them. */
static const char *const CATEGORIES[] = {
    "C|Other",
    "Cc|Control|cntrl",
    "Cf|Format",
    "Cn|Unassigned",
    "Co|Private_Use",
    "Cs|Surrogate",
    "L|Letter",
    "LC|Cased_Letter",
    "Ll|Lowercase_Letter",
    "Lm|Modifier_Letter",
    "Lo|Other_Letter",
    "Lt|Titlecase_Letter",
    "Lu|Uppercase_Letter",
    "M|Mark|Combining_Mark",
    "Mc|Spacing_Mark",
    "Me|Enclosing_Mark",
    "Mn|Nonspacing_Mark",
    "N|Number",
    "Nd|Decimal_Number|digit",
    "Nl|Letter_Number",
    "No|Other_Number",
    "P|Punctuation|punct",
    "Pc|Connector_Punctuation",
    "Pd|Dash_Punctuation",
    "Pe|Close_Punctuation",
    "Pf|Final_Punctuation",
    "Pi|Initial_Punctuation",
    "Po|Other_Punctuation",
    "Ps|Open_Punctuation",
    "S|Symbol",
    "Sc|Currency_Symbol",
    "Sk|Modifier_Symbol",
    "Sm|Math_Symbol",
    "So|Other_Symbol",
    "Z|Separator",
    "Zl|Line_Separator",
    "Zp|Paragraph_Separator",
    "Zs|Space_Separator",
};

/* Binary properties of ECMA-262: the long name, which PCRE2 knows as well, then the short one. */
static const char *const BINARIES[] = {
    "ASCII",
    "ASCII_Hex_Digit|AHex",
    "Alphabetic|Alpha",
    "Any",
    "Assigned",
    "Bidi_Control|Bidi_C",
    "Bidi_Mirrored|Bidi_M",
    "Case_Ignorable|CI",
    "Cased",
    "Changes_When_Casefolded|CWCF",
    "Changes_When_Casemapped|CWCM",
    "Changes_When_Lowercased|CWL",
    "Changes_When_NFKC_Casefolded|CWKCF",
    "Changes_When_Titlecased|CWT",
    "Changes_When_Uppercased|CWU",
    "Dash",
    "Default_Ignorable_Code_Point|DI",
    "Deprecated|Dep",
    "Diacritic|Dia",
    "Emoji",
    "Emoji_Component|EComp",
    "Emoji_Modifier|EMod",
    "Emoji_Modifier_Base|EBase",
    "Emoji_Presentation|EPres",
    "Extended_Pictographic|ExtPict",
    "Extender|Ext",
    "Grapheme_Base|Gr_Base",
    "Grapheme_Extend|Gr_Ext",
    "Hex_Digit|Hex",
    "IDS_Binary_Operator|IDSB",
    "IDS_Trinary_Operator|IDST",
    "ID_Continue|IDC",
    "ID_Start|IDS",
    "Ideographic|Ideo",
    "Join_Control|Join_C",
    "Logical_Order_Exception|LOE",
    "Lowercase|Lower",
    "Math",
    "Noncharacter_Code_Point|NChar",
    "Pattern_Syntax|Pat_Syn",
    "Pattern_White_Space|Pat_WS",
    "Quotation_Mark|QMark",
    "Radical",
    "Regional_Indicator|RI",
    "Sentence_Terminal|STerm",
    "Soft_Dotted|SD",
    "Terminal_Punctuation|Term",
    "Unified_Ideograph|UIdeo",
    "Uppercase|Upper",
    "Variation_Selector|VS",
    "White_Space|space",
    "XID_Continue|XIDC",
    "XID_Start|XIDS",
};

/* Scripts up to Unicode 15: the code, then the name, then a former code. */
static const char *const SCRIPTS[] = {
    "Adlm|Adlam",
    "Ahom|Ahom",
    "Hluw|Anatolian_Hieroglyphs",
    "Arab|Arabic",
    "Armn|Armenian",
    "Avst|Avestan",
    "Bali|Balinese",
    "Bamu|Bamum",
    "Bass|Bassa_Vah",
    "Batk|Batak",
    "Beng|Bengali",
    "Bhks|Bhaiksuki",
    "Bopo|Bopomofo",
    "Brah|Brahmi",
    "Brai|Braille",
    "Bugi|Buginese",
    "Buhd|Buhid",
    "Cans|Canadian_Aboriginal",
    "Cari|Carian",
    "Aghb|Caucasian_Albanian",
    "Cakm|Chakma",
    "Cham|Cham",
    "Cher|Cherokee",
    "Chrs|Chorasmian",
    "Zyyy|Common",
    "Copt|Coptic|Qaac",
    "Xsux|Cuneiform",
    "Cprt|Cypriot",
    "Cpmn|Cypro_Minoan",
    "Cyrl|Cyrillic",
    "Dsrt|Deseret",
    "Deva|Devanagari",
    "Diak|Dives_Akuru",
    "Dogr|Dogra",
    "Dupl|Duployan",
    "Egyp|Egyptian_Hieroglyphs",
    "Elba|Elbasan",
    "Elym|Elymaic",
    "Ethi|Ethiopic",
    "Geor|Georgian",
    "Glag|Glagolitic",
    "Goth|Gothic",
    "Gran|Grantha",
    "Grek|Greek",
    "Gujr|Gujarati",
    "Gong|Gunjala_Gondi",
    "Guru|Gurmukhi",
    "Hani|Han",
    "Hang|Hangul",
    "Rohg|Hanifi_Rohingya",
    "Hano|Hanunoo",
    "Hatr|Hatran",
    "Hebr|Hebrew",
    "Hira|Hiragana",
    "Armi|Imperial_Aramaic",
    "Zinh|Inherited|Qaai",
    "Phli|Inscriptional_Pahlavi",
    "Prti|Inscriptional_Parthian",
    "Java|Javanese",
    "Kthi|Kaithi",
    "Knda|Kannada",
    "Kana|Katakana",
    "Kawi|Kawi",
    "Kali|Kayah_Li",
    "Khar|Kharoshthi",
    "Kits|Khitan_Small_Script",
    "Khmr|Khmer",
    "Khoj|Khojki",
    "Sind|Khudawadi",
    "Laoo|Lao",
    "Latn|Latin",
    "Lepc|Lepcha",
    "Limb|Limbu",
    "Lina|Linear_A",
    "Linb|Linear_B",
    "Lisu|Lisu",
    "Lyci|Lycian",
    "Lydi|Lydian",
    "Mahj|Mahajani",
    "Maka|Makasar",
    "Mlym|Malayalam",
    "Mand|Mandaic",
    "Mani|Manichaean",
    "Marc|Marchen",
    "Gonm|Masaram_Gondi",
    "Medf|Medefaidrin",
    "Mtei|Meetei_Mayek",
    "Mend|Mende_Kikakui",
    "Merc|Meroitic_Cursive",
    "Mero|Meroitic_Hieroglyphs",
    "Plrd|Miao",
    "Modi|Modi",
    "Mong|Mongolian",
    "Mroo|Mro",
    "Mult|Multani",
    "Mymr|Myanmar",
    "Nbat|Nabataean",
    "Nagm|Nag_Mundari",
    "Nand|Nandinagari",
    "Talu|New_Tai_Lue",
    "Newa|Newa",
    "Nkoo|Nko",
    "Nshu|Nushu",
    "Hmnp|Nyiakeng_Puachue_Hmong",
    "Ogam|Ogham",
    "Olck|Ol_Chiki",
    "Hung|Old_Hungarian",
    "Ital|Old_Italic",
    "Narb|Old_North_Arabian",
    "Perm|Old_Permic",
    "Xpeo|Old_Persian",
    "Sogo|Old_Sogdian",
    "Sarb|Old_South_Arabian",
    "Orkh|Old_Turkic",
    "Ougr|Old_Uyghur",
    "Orya|Oriya",
    "Osge|Osage",
    "Osma|Osmanya",
    "Hmng|Pahawh_Hmong",
    "Palm|Palmyrene",
    "Pauc|Pau_Cin_Hau",
    "Phag|Phags_Pa",
    "Phnx|Phoenician",
    "Phlp|Psalter_Pahlavi",
    "Rjng|Rejang",
    "Runr|Runic",
    "Samr|Samaritan",
    "Saur|Saurashtra",
    "Shrd|Sharada",
    "Shaw|Shavian",
    "Sidd|Siddham",
    "Sgnw|SignWriting",
    "Sinh|Sinhala",
    "Sogd|Sogdian",
    "Sora|Sora_Sompeng",
    "Soyo|Soyombo",
    "Sund|Sundanese",
    "Sylo|Syloti_Nagri",
    "Syrc|Syriac",
    "Tglg|Tagalog",
    "Tagb|Tagbanwa",
    "Tale|Tai_Le",
    "Lana|Tai_Tham",
    "Tavt|Tai_Viet",
    "Takr|Takri",
    "Taml|Tamil",
    "Tnsa|Tangsa",
    "Tang|Tangut",
    "Telu|Telugu",
    "Thaa|Thaana",
    "Thai|Thai",
    "Tibt|Tibetan",
    "Tfng|Tifinagh",
    "Tirh|Tirhuta",
    "Toto|Toto",
    "Ugar|Ugaritic",
    "Vaii|Vai",
    "Vith|Vithkuqi",
    "Wcho|Wancho",
    "Wara|Warang_Citi",
    "Yezi|Yezidi",
    "Yiii|Yi",
    "Zanb|Zanabazar_Square",
};

#define COUNT_OF(array) (sizeof(array) / sizeof(*(array)))

enum { NAME_SIZE = 48, CLASS_SIZE = 80 };

/* The entry that has `name` among its names, or NULL. */
static const char *find_entry(const char *const *entries, size_t count, struct bytes name) {
    for (size_t i = 0; i < count; i++) {
        for (const char *at = entries[i]; *at != '\0';) {
            size_t length = strcspn(at, "|");
            if (name.size == length && memcmp(name.data, at, length) == 0) {
                return entries[i];
            }
            at += length + (at[length] == '|' ? 1 : 0);
        }
    }
    return NULL;
}

/* Writes the property as PCRE2 calls it. False: ECMA-262 has no such property. */
static bool translate(struct bytes expression, bool negated, char ret_class[CLASS_SIZE]) {
    const uint8_t *equals = memchr(expression.data, '=', expression.size);
    struct bytes name = expression;
    struct bytes value = expression;
    if (equals != NULL) {
        name.size = (size_t)(equals - expression.data);
        value = (struct bytes){equals + 1, expression.size - name.size - 1};
    }
    const char *entry = NULL;
    const char *prefix = "";
    if (equals == NULL || bytes_equal_string(name, "gc") || bytes_equal_string(name, "General_Category")) {
        entry = find_entry(CATEGORIES, COUNT_OF(CATEGORIES), value);
    } else if (bytes_equal_string(name, "sc") || bytes_equal_string(name, "Script")) {
        entry = find_entry(SCRIPTS, COUNT_OF(SCRIPTS), value);
        prefix = "sc:";
    } else if (bytes_equal_string(name, "scx") || bytes_equal_string(name, "Script_Extensions")) {
        entry = find_entry(SCRIPTS, COUNT_OF(SCRIPTS), value);
        prefix = "scx:";
    }
    if (entry == NULL && equals == NULL) {
        entry = find_entry(BINARIES, COUNT_OF(BINARIES), name);
    }
    if (entry == NULL) {
        return false;
    }
    /* Two that PCRE2 calls otherwise. */
    if (strcmp(entry, "LC|Cased_Letter") == 0) {
        entry = "L&";
    } else if (strcmp(entry, "Assigned") == 0) {
        entry = "Cn";
        negated = !negated;
    }
    snprintf(ret_class, CLASS_SIZE, "[\\%c{%s%.*s}]+", negated ? 'P' : 'p', prefix, (int)strcspn(entry, "|"), entry);
    return true;
}

/* A class of PCRE2 that is matched against code points. */
struct probe {
    pcre2_code *code;
    pcre2_match_data *match;
};

static void probe_done(struct probe *probe) {
    if (probe->code != NULL) {
        pcre2_code_free(probe->code);
        pcre2_jit_free_unused_memory(NULL); /* nothing executable stays mapped */
    }
    pcre2_match_data_free(probe->match);
}

/* `fast`: worth machine code, as all of Unicode will be asked. */
static enum status probe_init(struct probe *probe, const char *class_text, bool fast, struct error *error) {
    int code = 0;
    PCRE2_SIZE offset = 0;
    probe->code = pcre2_compile((PCRE2_SPTR)class_text, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &code, &offset, NULL);
    if (probe->code == NULL && code != PCRE2_ERROR_HEAP_FAILED) {
        return error_set(error, UNSUPPORTED, "the Unicode data of this machine's PCRE2 lack this property");
    }
    probe->match = probe->code != NULL ? pcre2_match_data_create(1, NULL) : NULL;
    if (probe->match == NULL) {
        return error_set(error, NO_MEMORY, "no memory for a Unicode property");
    }
    if (fast) {
        (void)pcre2_jit_compile(probe->code, PCRE2_JIT_COMPLETE); /* without: slower, and as good */
    }
    return OK;
}

enum { CHUNK = 1024 };

/* Adds those of the code points first to last, at most CHUNK and all of the same size in UTF-8, that are in the class.
 */
static bool probe_add(const struct probe *probe, struct pattern_ranges *ranges, uint32_t first, uint32_t last) {
    uint8_t text[CHUNK * 4];
    uint32_t size = 0;
    uint32_t each = 1;
    for (uint32_t c = first; c <= last; c++) {
        each = utf8_encode(c, text + size);
        size += each;
    }
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(probe->match);
    for (PCRE2_SIZE at = 0; at < size; at = ends[1]) {
        int count = pcre2_match(probe->code, text, size, at, PCRE2_NO_UTF_CHECK, probe->match, NULL);
        if (count == PCRE2_ERROR_NOMATCH) {
            break;
        }
        if (count < 0 ||
            !pattern_ranges_add(ranges, first + (uint32_t)ends[0] / each, first + (uint32_t)ends[1] / each - 1)) {
            return false;
        }
    }
    return true;
}

/* Planes that hold no characters, or private ones: all code points are alike, but for the last two of the plane. */
static bool is_uniform(uint32_t plane) {
    return (plane >= 4 && plane <= 13) || plane >= 15;
}

static bool probe_all(const struct probe *probe, struct pattern_ranges *ranges) {
    static const uint32_t steps[] = {0, 0x80, 0x800, SURROGATE_FIRST, SURROGATE_LAST + 1, 0x10000, CODE_POINT_MAX + 1};
    for (size_t i = 0; i + 1 < COUNT_OF(steps); i++) {
        for (uint32_t first = steps[i]; first < steps[i + 1] && first != SURROGATE_FIRST;) {
            uint32_t last = first + CHUNK - 1;
            if (is_uniform(first >> 16) && (first & 0xFFFF) == 0) {
                uint32_t before = ranges->count;
                if (!probe_add(probe, ranges, first, first) ||
                    !probe_add(probe, ranges, first | 0xFFFE, first | 0xFFFF)) {
                    return false;
                }
                if (ranges->count > before && ranges->items[before].first == first) {
                    ranges->items[before].last = first | 0xFFFD;
                }
                first += 0x10000;
                continue;
            }
            last = last < steps[i + 1] - 1 ? last : steps[i + 1] - 1;
            if (!probe_add(probe, ranges, first, last)) {
                return false;
            }
            first = last + 1;
        }
    }
    return true;
}

enum status pattern_property_add(struct pattern_ranges *ranges, struct bytes expression, bool negated,
                                 struct error *error) {
    char class_text[CLASS_SIZE];
    CLEANUP(probe_done) struct probe probe = {0};
    if (!translate(expression, negated, class_text)) {
        return error_set(error, INVALID, "there is no property '%.*s'",
                         expression.size > NAME_SIZE ? NAME_SIZE : (int)expression.size, (const char *)expression.data);
    }
    enum status status = probe_init(&probe, class_text, true, error);
    if (status != OK) {
        return status;
    }
    if (!probe_all(&probe, ranges)) {
        return error_set(error, NO_MEMORY, "no memory for a Unicode property");
    }
    return OK;
}

enum status pattern_property_names(uint32_t code_point, bool start, bool *ret_names, struct error *error) {
    if (code_point < 128) {
        bool letter = (code_point | 32) >= 'a' && (code_point | 32) <= 'z';
        bool digit = code_point >= '0' && code_point <= '9';
        *ret_names = letter || code_point == '$' || code_point == '_' || (digit && !start);
        return OK;
    }
    CLEANUP(probe_done) struct probe probe = {0};
    CLEANUP(pattern_ranges_done) struct pattern_ranges found = {0};
    const char *class_text = start ? "[\\p{ID_Start}]" : "[\\p{ID_Continue}\\x{200C}\\x{200D}]";
    enum status status = probe_init(&probe, class_text, false, error);
    if (status != OK) {
        return status;
    }
    if (!probe_add(&probe, &found, code_point, code_point)) {
        return error_set(error, NO_MEMORY, "no memory for a Unicode property");
    }
    *ret_names = found.count > 0;
    return OK;
}
