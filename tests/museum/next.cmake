# next.cmake: makes the header of a minor version that does not exist yet from the current one: each struct that crosses
# grows at its end, and the table gets a slot. What works with it will work with the minor that really comes.
file(READ ${PROJECT_SOURCE_DIR}/abi/include/polaris/event_store.h header)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
    ${PROJECT_SOURCE_DIR}/abi/include/polaris/event_store.h)

# replace(FROM TO): exactly what is expected must be there.
function(museum_replace from to)
    string(FIND "${header}" "${from}" at)
    if(at EQUAL -1)
        message(FATAL_ERROR "the header has no '${from}' any more: tests/museum/next.cmake must follow it")
    endif()
    string(REPLACE "${from}" "${to}" header "${header}")
    set(header "${header}" PARENT_SCOPE)
endfunction()

math(EXPR next_minor "${abi_minor} + 1")
museum_replace("#define POLARIS_ES_ABI_MINOR ${abi_minor}u" "#define POLARIS_ES_ABI_MINOR ${next_minor}u\n#define MUSEUM_NEXT 1")
museum_replace("} polaris_es_hello;" "    uint64_t next_wishes;\n} polaris_es_hello;")
museum_replace("} polaris_es_welcome;" "    uint64_t next_grants;\n} polaris_es_welcome;")
museum_replace("} polaris_es_descriptor;" "    char next_note[24];\n} polaris_es_descriptor;")
museum_replace("} polaris_sink;" "    uint64_t next_flags;\n} polaris_sink;")
museum_replace("} polaris_es_completion;" "    uint64_t next_marks;\n} polaris_es_completion;")
museum_replace("} polaris_es_services;"
    "    void (*next_count)(void *context, int64_t number);\n} polaris_es_services;")
museum_replace("} polaris_es_table;" "    polaris_es_verb next_verb;\n} polaris_es_table;")
museum_replace("X(cancel, any, ready, no, none)"
    "X(cancel, any, ready, no, none) X(next_verb, any, ready, bounded, both)")
file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/next/polaris/event_store.h CONTENT "${header}" @ONLY)
