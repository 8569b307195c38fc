/* digest.c: one number for the whole graph: SHA-256 over a canonical form in which every part has its length. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "graph/graph_internal.h"

/* Feeds the hash; remembers a failure, so that it needs to be looked at only once, at the end. */
struct digester {
    EVP_MD_CTX *hash;
    bool failed;
};

static void put(struct digester *digester, const void *data, size_t size) {
    if (!digester->failed && EVP_DigestUpdate(digester->hash, data, size) != 1) {
        digester->failed = true;
    }
}

/* A tag for what follows, and its length or count in eight bytes, the highest first. */
static void put_header(struct digester *digester, char tag, uint64_t number) {
    uint8_t header[9] = {(uint8_t)tag};
    for (int i = 0; i < 8; i++) {
        header[1 + i] = (uint8_t)(number >> (56 - 8 * i));
    }
    put(digester, header, sizeof header);
}

static void put_string(struct digester *digester, const char *text, size_t size) {
    put_header(digester, 's', size);
    put(digester, text, size);
}

static void put_value(struct digester *digester, const json_t *value);

static int compare_names(const void *left, const void *right) {
    const char *const *a = left;
    const char *const *b = right;
    return strcmp(*a, *b);
}

/* Members in the order of their names: jansson keeps the order in which they came, which means nothing. */
static void put_object(struct digester *digester, const json_t *object) {
    size_t count = 0;
    const char **names = calloc(json_object_size(object) + 1, sizeof *names);
    if (names == NULL) {
        digester->failed = true;
        return;
    }
    const char *name;
    json_t *member;
    json_t *walked = json_incref((json_t *)(uintptr_t)object); /* foreach takes no const */
    json_object_foreach(walked, name, member) {
        names[count++] = name;
    }
    qsort(names, count, sizeof *names, compare_names);
    put_header(digester, 'o', count);
    for (size_t i = 0; i < count; i++) {
        put_string(digester, names[i], strlen(names[i]));
        put_value(digester, json_object_get(object, names[i]));
    }
    json_decref(walked);
    free(names);
}

static void put_value(struct digester *digester, const json_t *value) {
    uint64_t bits = 0;
    double real = 0;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        put_object(digester, value);
        break;
    case JSON_ARRAY:
        put_header(digester, 'a', json_array_size(value));
        for (size_t i = 0; i < json_array_size(value); i++) {
            put_value(digester, json_array_get(value, i));
        }
        break;
    case JSON_STRING:
        put_string(digester, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        put_header(digester, 'i', (uint64_t)json_integer_value(value));
        break;
    case JSON_REAL:
        real = json_real_value(value);
        memcpy(&bits, &real, sizeof bits);
        put_header(digester, 'r', bits);
        break;
    case JSON_TRUE:
        put_header(digester, 'b', 1);
        break;
    case JSON_FALSE:
        put_header(digester, 'b', 0);
        break;
    case JSON_NULL:
        put_header(digester, 'n', 0);
        break;
    }
}

static int compare_edges(const void *left, const void *right) {
    const struct edge *const *a = left;
    const struct edge *const *b = right;
    size_t size = (*a)->key_size < (*b)->key_size ? (*a)->key_size : (*b)->key_size;
    int order = memcmp((*a)->key, (*b)->key, size);
    return order != 0 ? order : ((*a)->key_size > (*b)->key_size) - ((*a)->key_size < (*b)->key_size);
}

static void put_nodes(struct digester *digester, const struct graph *graph) {
    const struct node **nodes = graph_sorted_nodes(graph);
    if (nodes == NULL) {
        digester->failed = true;
        return;
    }
    put_header(digester, 'N', HASH_COUNT(graph->nodes));
    for (size_t i = 0; nodes[i] != NULL; i++) {
        put_string(digester, nodes[i]->name, strlen(nodes[i]->name));
        put_value(digester, nodes[i]->properties);
    }
    free(nodes);
}

static void put_edges(struct digester *digester, const struct graph *graph) {
    const struct edge **edges = calloc(HASH_COUNT(graph->edges) + 1, sizeof(struct edge *));
    if (edges == NULL) {
        digester->failed = true;
        return;
    }
    size_t count = 0;
    for (const struct edge *edge = graph->edges; edge != NULL; edge = edge->hh.next) {
        edges[count++] = edge;
    }
    qsort(edges, count, sizeof(struct edge *), compare_edges);
    put_header(digester, 'E', count);
    for (size_t i = 0; i < count; i++) {
        put_string(digester, edges[i]->key, edges[i]->key_size); /* the NULs in it separate the three names */
        put_value(digester, edges[i]->properties);
    }
    free(edges);
}

bool graph_digest(const struct graph *graph, char ret_digest[GRAPH_DIGEST_SIZE]) {
    struct digester digester = {.hash = EVP_MD_CTX_new()};
    if (digester.hash == NULL || EVP_DigestInit_ex(digester.hash, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(digester.hash);
        return false;
    }
    put_nodes(&digester, graph);
    put_edges(&digester, graph);
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    bool hashed = EVP_DigestFinal_ex(digester.hash, hash, &size) == 1 && !digester.failed && size == 32;
    EVP_MD_CTX_free(digester.hash);
    if (!hashed) {
        return false;
    }
    static const char DIGITS[] = "0123456789abcdef";
    for (unsigned i = 0; i < size; i++) {
        ret_digest[2 * i] = DIGITS[hash[i] >> 4];
        ret_digest[2 * i + 1] = DIGITS[hash[i] & 15];
    }
    ret_digest[2 * size] = '\0';
    return true;
}
