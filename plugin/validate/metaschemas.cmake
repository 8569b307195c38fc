# Writes metaschemas.c: the JSON files of meta/ as arrays of bytes. Run at build time with -P and OUT: the source; META:
# the folder of the files.
set(files
    schema-2020-12 meta-2020-12-core meta-2020-12-applicator meta-2020-12-unevaluated meta-2020-12-validation
    meta-2020-12-meta-data meta-2020-12-format-annotation meta-2020-12-format-assertion meta-2020-12-content
    schema-draft-07)
set(arrays "")
set(entries "")
foreach(file IN LISTS files)
    file(READ ${META}/${file}.json text)
    string(JSON uri GET "${text}" "$id")
    string(REGEX REPLACE "#$" "" uri "${uri}")
    file(READ ${META}/${file}.json hex HEX)
    string(LENGTH "${hex}" size)
    math(EXPR size "${size} / 2")
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    string(MAKE_C_IDENTIFIER ${file} name)
    string(APPEND arrays "static const uint8_t ${name}[] = {${bytes}};\n")
    string(APPEND entries "    {\"${uri}\", ${name}, ${size}},\n")
endforeach()
file(WRITE ${OUT} "/* metaschemas.c: made by metaschemas.cmake. */\n#include \"validate/metaschemas.h\"\n\n${arrays}\n\
const struct metaschema METASCHEMAS[METASCHEMA_COUNT] = {\n${entries}};\n")
