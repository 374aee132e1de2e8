/* Connection strings: no password that libpq would read out of one is left in it. */
#include <stdbool.h>

#include <libpq-fe.h>

#include "rooftally/job/job.h"

#include "fuzz.h"

static void seeds(void)
{
    static const char *const texts[] = {
        "host=h password=SECRETSECRET user=u",
        "password = 'SECRET\\'SECRET' sslpassword=ABCDEFGHIJ",
        "postgresql://u:SECRETSECRET@host:5432,other/db?sslmode=disable",
        "postgres://u@h/db?password=SECRETSECRET&application_name=x",
        "postgresql://?user=u&pass%77ord=SECRET%20SECRET",
        "service=gis passfile=/home/u/.pgpass",
        "dbname=postgresql://u:SECRETSECRET@h/db",
        "postgresql:///db?host=/tmp&sslpassword=ABCDEFGHIJ",
        "postgresql://[::1]:1,[::2]/a?options=-c%20x",
        "postgresql:///db?host=/t:u@d&sslpassword=ABCDEFGHIJ",
        "postgresql://[?passfile]/?password=SECRETSECRET",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        seed_text(texts[i]);
}

/* Whether the value stands somewhere else in the text, where it is no secret. */
static bool is_elsewhere(const char *text, const char *value)
{
    const char *first = strstr(text, value);
    return (first && strstr(first + 1, value)) || strstr("***", value);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char *text = malloc(n + 1);
    memcpy(text, bytes, n);
    text[n] = '\0';
    char *redacted = job_redact(text);
    must(redacted);
    PQconninfoOption *options = PQconninfoParse(text, NULL);
    for (PQconninfoOption *o = options; o && o->keyword; o++)
        if (o->val && strlen(o->val) >= 6
            && (strcmp(o->keyword, "password") == 0
                || strcmp(o->keyword, "sslpassword") == 0)
            && !is_elsewhere(text, o->val))
            must(!strstr(redacted, o->val));
    PQconninfoFree(options);
    free(redacted);
    free(text);
    return 0;
}
