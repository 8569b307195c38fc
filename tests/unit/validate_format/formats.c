/* Tests of each format: what its RFC allows, and what it does not. */
#include "support.h"

Test(formats, date) {
    EXPECT_YES(DATE, "1963-06-19", "2020-01-31", "2021-02-28", "2020-02-29", "2000-02-29", "2020-04-30", "0000-01-01",
               "9999-12-31");
    EXPECT_NO(DATE, "", "06/19/1963", "2013-350", "1998-1-20", "1998-01-1", "1998-13-01", "1998-00-01", "1998-04-31",
              "1998-01-00", "1998-01-32", "2021-02-29", "1900-02-29", "2020-02-30", "1963-06-1\xE0\xA7\xAA", "20230328",
              "2023-W01", "2023-W13-2", "2022W527", "1963-06-19 ", " 1963-06-19", "1963-06-19T", "+1963-06-19",
              "1963-6-190");
}

Test(formats, time) {
    EXPECT_YES(TIME, "08:30:06Z", "08:30:06z", "23:59:60Z", "00:00:00Z", "23:20:50.52Z", "08:30:06.283185Z",
               "08:30:06+00:20", "08:30:06-08:00", "08:30:06+23:59", "23:59:60+00:00", "01:29:60+01:30",
               "23:29:60+23:30", "15:59:60-08:00", "00:29:60-23:30", "23:59:60.25Z", "22:59:60-01:00");
    EXPECT_NO(TIME, "", "008:030:006Z", "8:3:6Z", "8:0030:6Z", "22:59:60Z", "23:58:60Z", "23:59:60+01:00",
              "23:59:60+00:30", "23:59:60-01:00", "23:59:60-00:30", "08:30:06-8:000", "24:00:00Z", "00:60:00Z",
              "00:00:61Z", "01:02:03+24:00", "01:02:03+00:60", "01:02:03Z+00:30", "08:30:06 PST", "01:01:01,1111",
              "12:00:00", "12:00:00.52", "1\xE0\xA7\xA8:00:00Z", "08:30:06#00:20", "ab:cd:ef", "08:30:06.Z", "08:30Z",
              "08:30:06Z ", "08:30:06+0020", "08:30:06+00", "08:30:06+");
}

Test(formats, date_time) {
    EXPECT_YES(DATE_TIME, "1963-06-19T08:30:06.283185Z", "1963-06-19T08:30:06Z", "1937-01-01T12:00:27.87+00:20",
               "1990-12-31T15:59:50.123-08:00", "1998-12-31T23:59:60Z", "1998-12-31T15:59:60.123-08:00",
               "1963-06-19t08:30:06.283185z", "2020-02-29T00:00:00Z");
    EXPECT_NO(DATE_TIME, "", "1998-12-31T23:59:61Z", "1998-12-31T23:58:60Z", "1998-12-31T22:59:60Z",
              "1990-02-31T15:59:59.123-08:00", "1990-12-31T15:59:59-24:00", "1963-06-19T08:30:06.28123+01:00Z",
              "06/19/1963 08:30:06 PST", "2013-350T01:01:01", "1963-6-19T08:30:06.283185Z",
              "1963-06-1T08:30:06.283185Z", "1963-06-1\xE0\xA7\xAAT00:00:00Z", "1963-06-11T0\xE0\xA7\xAA:00:00Z",
              "1963-06-19 08:30:06Z", "1963-06-19T", "1963-06-19", "+11963-06-19T08:30:06Z");
}

Test(formats, duration) {
    EXPECT_YES(DURATION, "P4DT12H30M5S", "P4Y", "PT0S", "P0D", "P1M", "PT1M", "PT36H", "P1DT12H", "P2W", "P1Y2M3D",
               "P1YT1H", "P1Y2M", "P2M3DT4H5M", "PT5M6S", "P0000000001D");
    EXPECT_NO(DURATION, "", "PT1D", "P", "P1YT", "PT", "P2D1Y", "P1D2H", "P2S", "P1Y2W", "P1", "4DT12H30M5S", "P1Y2D",
              "PT1H2S", "P2\xE0\xA7\xA8Y", "P1W1D", "P1.5D", "PT1H ", "p1d", "P-1D", "PD", "PTS", "P1YM", "PT1HT2M");
}

Test(formats, ipv4) {
    EXPECT_YES(IPV4, "192.168.0.1", "0.0.0.0", "255.255.255.255", "87.10.0.1");
    EXPECT_NO(IPV4, "", "127.0.0.0.1", "256.256.256.256", "127.0", "0x7f000001", "2130706433", "087.10.0.1",
              "1\xE0\xA7\xA8"
              "7.0.0.1",
              "192.168.1.0/24", " 192.168.0.1", "192.168.0.1 ", "192.168.0.1\n", "0x7f.0.0.1", "1..2.3", "1.2.3.",
              ".1.2.3", "00.0.0.0", "1.2.3.1000", "1.2.3.0004");
}

Test(formats, ipv6) {
    EXPECT_YES(IPV6, "::1", "::", "::abef", "::abcd", "d6::", "1:d6::42", "::42:ff:1", "1::d6:192.168.0.1",
               "1:2::192.168.0.1", "::ffff:192.168.0.1", "1:2:3:4:5:6:7:8", "2:3:4:5:6:7:8::", "::2:3:4:5:6:7:8",
               "1::3:4:5:6:7:8", "1:2:3:4:5:6:1.2.3.4", "ABCD:EF01:2345:6789:abcd:ef01:2345:6789",
               "1:2:3:4:5::1.2.3.4");
    EXPECT_NO(IPV6, "", "12345::", "::abcef", "1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1", "::laptop", ":2:3:4:5:6:7:8",
              "1:2:3:4:5:6:7:", ":2:3:4::8", "1::d6::42", "1::2:192.168.256.1", "1::2:192.168.ff.1", "::192.168.0.1/x",
              "1:2:3:4:5:::8", "1:2:3:4:5:6:7", "1", "127.0.0.1", "1:2:3:4:1.2.3", "  ::1", "::1  ", "fe80::/64",
              "fe80::a%eth1", "1000:1000:1000:1000:1000:1000:255.255.255.255.255",
              "100:100:100:100:100:100:255.255.255", "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
              ":", ":::", "1:", ":1", "1:2:3:4:5:6:7:\xE0\xA7\xAA", "1:2:3:4::5:1.2.3.4:1", "::1:2:3:4:5:6:1.2.3.4",
              "[::1]");
}

#define LABEL_63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define LABEL_61 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghi"

Test(formats, hostname) {
    EXPECT_YES(HOSTNAME, "www.example.com", "xn--4gbwdl.xn--wgbh1c", "hostname", "host-name", "h0stn4me", "1host",
               "hostnam3", "a", "1", "A.B", LABEL_63, LABEL_63 ".com", LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_61,
               "ab--cd", "xn--ihqwcrb4cv8a8dqg056pqjye", "XN--4GBWDL", "hostna-me");
    EXPECT_NO(HOSTNAME, "", "-a-host-name-that-starts-with--", "not_a_valid_host_name", "-hostname", "hostname-",
              "_hostname", "hostname_", "host_name", ".", ".example", "example.", "a..b", LABEL_63 "x",
              LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_61 "x", "a b", "ex\xC3\xA4mple", "a.-b", "a-.b", "xn--X",
              "xn--", "XN--aa---o47jg78q", "example.com:80", "*.example.com",
              "xn--07jt112bpxg.xn--9t4b11yi5a.xn--l-fda",
              "a\xE3\x80\x82"
              "b",
              "xn--7a");
}

Test(formats, idn_hostname) {
    EXPECT_YES(IDN_HOSTNAME, "ex\xC3\xA4--mple", "실례.테스트", "xn--ihqwcrb4cv8a8dqg056pqjye", "www.example.com",
               "hostname", "host-name", "h0stn4me", "1host", "hostnam3", "a.b",
               "a\xE3\x80\x82"
               "b",
               "a\xEF\xBC\x8E"
               "b",
               "a\xEF\xBD\xA1"
               "b",
               "例え。テスト", "\xC3\x9F\xCF\x82\xE0\xBC\x8B\xE3\x80\x87" /* PVALID by exception */,
               "\xDB\xBD\xDB\xBE" /* the same */, "l\xC2\xB7l" /* a middle dot between two l */,
               "\xCE\xB1\xCD\xB5\xCE\xB2" /* keraia before Greek */,
               "\xD7\x90\xD7\xB3\xD7\x91" /* geresh after Hebrew */, "\xD7\x90\xD7\xB4\xD7\x91" /* gershayim */,
               "\xE3\x83\xBB\xE3\x81\x81" /* katakana middle dot with Hiragana */, "\xE3\x83\xBB\xE3\x82\xA1",
               "\xE3\x83\xBB\xE4\xB8\x88", "\xD8\xA8\xD9\xA0\xD8\xA8" /* Arabic-Indic digits alone */,
               "\xDB\xB0"
               "0" /* extended ones */,
               "\xE0\xA4\x95\xE0\xA5\x8D\xE2\x80\x8D\xE0\xA4\xB7" /* ZWJ after virama */,
               "\xE0\xA4\x95\xE0\xA5\x8D\xE2\x80\x8C\xE0\xA4\xB7" /* ZWNJ after virama */,
               "\xD8\xA8\xD9\x8A\xE2\x80\x8C\xD8\xA8\xD9\x8A" /* ZWNJ between joining letters */, "hostna-me");
    EXPECT_NO(IDN_HOSTNAME, "", "〮실례.테스트", "-> $1.00 <--", "xn--X", "XN--aa---o47jg78q", "-hello", "hello-",
              "-hello-", "\xE0\xA4\x83hello" /* begins with a spacing mark */, "\xCC\x80hello", "\xD2\x88hello",
              "\xD9\x80\xDF\xBA" /* DISALLOWED by exception */,
              "\xE3\x80\xB1\xE3\x80\xB2\xE3\x80\xB3\xE3\x80\xB4\xE3\x80\xB5\xE3\x80\xAE\xE3\x80\xAF\xE3\x80\xBB",
              "\xE3\x80\xAE"
              "a",
              "a\xC2\xB7l", "\xC2\xB7l",
              "l\xC2\xB7"
              "a",
              "l\xC2\xB7", "\xCE\xB1\xCD\xB5S", "\xCE\xB1\xCD\xB5", "A\xD7\xB3\xD7\x91", "\xD7\xB3\xD7\x91",
              "A\xD7\xB4\xD7\x91", "\xD7\xB4\xD7\x91",
              "def\xE3\x83\xBB"
              "abc",
              "\xE3\x83\xBB", "\xD8\xA8\xD9\xA0\xDB\xB0" /* digits of two kinds */,
              "\xE0\xA4\x95\xE2\x80\x8D\xE0\xA4\xB7", "\xE2\x80\x8D\xE0\xA4\xB7",
              "a\xE2\x80\x8C"
              "b",
              ".", "\xE3\x80\x82", ".example",
              "\xE3\x80\x82"
              "example",
              "example.", "example\xE3\x80\x82", "a..b", "a b", "a_b", "ab--cd", "ab--c\xC3\xA4", "Ex\xC3\x84mple",
              "e\xCC\x81" /* not NFC */,
              "\xD7\x90"
              "a" /* bidi: a letter of the left in a word of the right */,
              "실〮례.테스트", "😀", "\xCD\xB8" /* unassigned */,
              "실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실실"
              "실실실실실실실실실실실실실실실실례례테스트례례례례례례례례례례례례례례례례례테스트례례례례례례례례례례례"
              "례례례례례례례례테스트례례례례례례례례례례례례테스트례례실례.테스트");
}

Test(formats, email) {
    EXPECT_YES(EMAIL, "joe.bloggs@example.com", "te~st@example.com", "~test@example.com", "test~@example.com",
               "\"joe bloggs\"@example.com", "\"joe..bloggs\"@example.com", "\"joe@bloggs\"@example.com",
               "\"a\\\"b\\\\\"@example.com", "\"\"@example.com", "joe.bloggs@[127.0.0.1]", "joe.bloggs@[IPv6:::1]",
               "te.s.t@example.com", "a@b", "a+b@example.com", "riedgar+guidance@example.com",
               LABEL_63 "x@example.com");
    EXPECT_NO(EMAIL, "", "2962", ".test@example.com", "test.@example.com", "te..st@example.com",
              "joe.bloggs@invalid=domain.com", "joe.bloggs@[127.0.0.300]", "joe.bloggs@[IPv6:::g]", "joe.bloggs@[]",
              "joe.bloggs@[127.0.0.1", "@example.com", "a@", "a@b@c", "user1@oceania.org, user2@oceania.org",
              "\"Winston Smith\" <winston.smith@recdep.minitrue>", "a b@example.com", "\"a\nb\"@example.com",
              "\"abc@example.com", "\"abc\\\"@example.com", "\"abc\"x@example.com", "j\xC3\xB6@example.com",
              "joe@ex\xC3\xA4mple.com", LABEL_63 "xy@example.com", "a@b.", "a@-b", "\"a\\\xC3\xA4\"@example.com", "\"",
              "a");
}

Test(formats, idn_email) {
    EXPECT_YES(IDN_EMAIL, "실례@실례.테스트", "joe.bloggs@example.com", "j\xC3\xB6.e@ex\xC3\xA4mple.com",
               "\"j\xC3\xB6 e\"@a.b", "j\xC3\xB6@[127.0.0.1]");
    EXPECT_NO(IDN_EMAIL, "2962", "", "실례@", "@실례.테스트", "실례@〮실례", "j\xC3\xB6..e@a.b");
}

Test(formats, uri) {
    EXPECT_YES(URI, "http://foo.bar/?baz=qux#quuz", "http://foo.com/blah_(wikipedia)_blah#cite-1",
               "http://foo.bar/?q=Test%20URL-encoded%20stuff", "http://xn--nw2a.xn--j6w193g/",
               "http://-.~_!$&'()*+,;=:%40:80%2f::::::@example.com", "http://223.255.255.254",
               "ftp://ftp.is.co.za/rfc/rfc1808.txt", "http://www.ietf.org/rfc/rfc2396.txt",
               "ldap://[2001:db8::7]/c=GB?objectClass?one", "mailto:John.Doe@example.com",
               "news:comp.infosystems.www.servers.unix", "tel:+1-816-555-1212",
               "urn:oasis:names:specification:docbook:dtd:xml:4.1.2", "a:", "a:b", "a:/", "a://", "a:///b",
               "a://b:", "a://b:80", "a://[v1.x:y]/", "a://[::1]:80/",
               "http://example.com:8080/a;b=c/d,e@f:g?h/i?j#k/l?m", "A+-.9:x", "a:?b#c", "a://@b", "a://:@b:");
    EXPECT_NO(URI, "", "//foo.bar/?baz=qux#quuz", "/abc", "\\\\WINDOWS\\fileshare", "abc", "http:// shouldfail.com",
              ":// should fail", "bar,baz:foo://", "https://[@example.org/test.txt", "https://example.org/foobar\\.txt",
              "https://example.org/foobar<>.txt", "https://example.org/foobar{}.txt", "https://example.org/foobar^.txt",
              "https://example.org/foobar`.txt", "https://example.org/foo bar.txt", "https://example.org/foobar|.txt",
              "https://example.org/\"", "1a:b", ":a", "a:b%", "a:b%2", "a:b%2g", "a:b#c#d", "a://b:8x", "a://[::1",
              "a://[::1]x", "a://[v.x]", "a://[v1.]", "a://[v1.%20]", "a://b@c@d", "a://b]c", "a:[",
              "http://ex\xC3\xA4mple.com", "http://2001:0db8:85a3:0000:0000:8a2e:0370:7334", "a:\n",
              "a://[fe80::1%25en0]");
}

Test(formats, uri_reference) {
    EXPECT_YES(URI_REFERENCE, "", "http://foo.bar/?baz=qux#quuz", "//foo.bar/?baz=qux#quuz", "/abc", "abc", "#fragment",
               "?query", "../a/./b", "./a:b", "a/b:c", "//", "///a", "a@b", "%20", "a?b:c", "a#b:c", "unde\x72_score");
    EXPECT_NO(URI_REFERENCE, "\\\\WINDOWS\\fileshare", "#frag\\ment", "a b", "1:b", "a_b:c", ":a", "%", "//[x]",
              "#\xC3\xA4", "unde\xC3\xA9", "{a}", "//a b", "?\"", "[a]");
}

Test(formats, iri) {
    EXPECT_YES(IRI, "http://ƒøø.ßår/?∂éœ=πîx#πîüx", "http://ƒøø.com/blah_(wîkïpédiå)_blah#ßité-1",
               "http://ƒøø.ßår/?q=Test%20URL-encoded%20stuff", "http://-.~_!$&'()*+,;=:%40:80%2f::::::@example.com",
               "http://[2001:0db8:85a3:0000:0000:8a2e:0370:7334]", "a:😀", "a:?\xEE\x80\x80" /* private, in a query */,
               "http://www.example.com");
    EXPECT_NO(IRI, "", "http://2001:0db8:85a3:0000:0000:8a2e:0370:7334", "/abc", "\\\\WINDOWS\\filëßåré", "âππ",
              "a:\xEE\x80\x80", "a:#\xEE\x80\x80", "a:\xC2\x80", "a:\xEF\xBF\xBF", "\xC3\xA9:a", "a:\xF0\x9F\xBF\xBE");
}

Test(formats, iri_reference) {
    EXPECT_YES(IRI_REFERENCE, "", "http://ƒøø.ßår/?∂éœ=πîx#πîüx", "//ƒøø.ßår/?∂éœ=πîx#πîüx", "/âππ", "âππ",
               "#ƒrägmênt");
    EXPECT_NO(IRI_REFERENCE, "\\\\WINDOWS\\filëßåré", "#ƒräg\\mênt", "â b", "â:b");
}

Test(formats, uri_template) {
    EXPECT_YES(URI_TEMPLATE, "", "http://example.com/dictionary/{term:1}/{term}", "http://example.com/dictionary",
               "dictionary/{term:1}/{term}", "{+a}{#b}{.c}{/d}{;e}{?f,g}{&h*}", "{a.b.c,d_1,%20}", "{a:9999}",
               "{=a}{,b}{!c}{@d}{|e}", "a%20b", "\xC3\xA9", "it's", "[]");
    EXPECT_NO(URI_TEMPLATE, "http://example.com/dictionary/{term:1}/{term", "}", "{", "{}", "{+}", "{a,}", "{,}",
              "{a:}", "{a:0}", "{a:01}", "{a:10000}", "{a**}", "{a:1*}", "{a b}", "{.a.}", "{a..b}", "{{a}}", "{a%2}",
              "%", "%2", "a b", "<", ">", "\"", "\\", "^", "`", "|", "\x7F", "\x01", "\xC2\x80", "{\xC3\xA9}", "{$a}",
              "{a-b}");
}

Test(formats, uuid) {
    EXPECT_YES(UUID, "2EB8AA08-AA98-11EA-B4AA-73B441D16380", "2eb8aa08-aa98-11ea-b4aa-73b441d16380",
               "2eb8aa08-AA98-11ea-B4Aa-73B441D16380", "00000000-0000-0000-0000-000000000000",
               "98d80576-482e-427f-8434-7f86890ab222", "99c17cbb-656f-564a-940f-1a4520f03487",
               "99c17cbb-656f-f64a-940f-1a4520f03487");
    EXPECT_NO(UUID, "", "2eb8aa08-aa98-11ea-b4aa-73b441d1638", "2eb8aa08-aa98-11ea-73b441d16380",
              "2eb8aa08-aa98-11ea-b4ga-73b441d16380", "2eb8aa08aa9811eab4aa73b441d16380",
              "2eb8aa08aa98-11ea-b4aa73b441d16380", "2eb8-aa08-aa98-11ea-b4aa73b44-1d16380",
              "2eb8aa08aa9811eab4aa73b441d16380----", "{2eb8aa08-aa98-11ea-b4aa-73b441d16380}",
              "2eb8aa08-aa98-11ea-b4aa-73b441d16380 ");
}

Test(formats, json_pointer) {
    EXPECT_YES(JSON_POINTER, "", "/foo/bar~0/baz~1/%a", "/foo//bar", "/foo/bar/", "/foo", "/foo/0", "/", "/a~1b",
               "/c%d", "/e^f", "/g|h", "/i\\j", "/k\"l", "/ ", "/m~0n", "/foo/-", "/foo/-/bar", "/~1.0", "/~0.1",
               "/~1.1", "/\xC3\xA9", "/~01");
    EXPECT_NO(JSON_POINTER, "/foo/bar~", "/foo/bar~/", "/~2", "/~-1", "/~~", "#", "#/", "#a", "/~0~", "/~0/~", "a", "0",
              "a/a", " /");
}

Test(formats, relative_json_pointer) {
    EXPECT_YES(RELATIVE_JSON_POINTER, "1", "0/foo/bar", "2/0/baz/1/zip", "0#", "120/foo/bar", "0", "10#", "0+1",
               "0-1/foo", "1+0#");
    EXPECT_NO(RELATIVE_JSON_POINTER, "", "/foo/bar", "-1/foo/bar", "+1/foo/bar", "0##", "01/a", "01#", "0a", "0#/a",
              "0+", "0+01", "0+-1", "0/~", "1 ", "#", "00");
}

Test(formats, regex) {
    EXPECT_YES(REGEX, "", "([abc])+\\s+$", "^\\p{L}$", "(?<year>\\d{4})\\k<year>", "(?<=a+)b", "\\u{1F600}");
    EXPECT_NO(REGEX, "^(abc]", "\\a", "^\\S(|(.|\\n)*\\S)\\Z", "(?<a>.)(?<a>.)", "{1}", "a{1,0}", "\\p{NoSuch}",
              "(?i)a");
    char deep[400];
    memset(deep, '(', sizeof(deep));
    cr_expect_eq(format_check(FORMAT_REGEX, (struct bytes){(const uint8_t *)deep, sizeof(deep)}), FORMAT_LIMIT);
}
