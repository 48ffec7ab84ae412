/* SPDX-License-Identifier: MIT */
#include "note.h"

struct _Note {
    GObject parent;
    json_int_t id;
    char *title;
    char *text;
    json_int_t modified;
};

G_DEFINE_TYPE(Note, note, G_TYPE_OBJECT)

static void note_init(Note *self)
{
}

static void note_finalize(GObject *object)
{
    Note *self = NOTES_NOTE(object);

    g_free(self->title);
    g_free(self->text);
    G_OBJECT_CLASS(note_parent_class)->finalize(object);
}

static void note_class_init(NoteClass *class)
{
    G_OBJECT_CLASS(class)->finalize = note_finalize;
}

Note *note_new_from_json(json_t *json)
{
    json_int_t id, modified;
    const char *title, *text;
    Note *self;

    if (json_unpack(json, "{s:I, s:s, s:s, s:I}", "id", &id, "title", &title, "text", &text, "modified", &modified) < 0)
        return NULL;
    self = g_object_new(note_get_type(), NULL);
    self->id = id;
    self->title = g_strdup(title);
    self->text = g_strdup(text);
    self->modified = modified;
    return self;
}

Note *note_new_draft(void)
{
    Note *self = g_object_new(note_get_type(), NULL);

    self->title = g_strdup("");
    self->text = g_strdup("");
    return self;
}

json_int_t note_get_id(Note *self)
{
    return self->id;
}

const char *note_get_title(Note *self)
{
    return self->title;
}

const char *note_get_text(Note *self)
{
    return self->text;
}

json_int_t note_get_modified(Note *self)
{
    return self->modified;
}
