/* The layout of documents. It keeps a stack of what is still to come; a group is tried flat by
 * running ahead until the line is full or ends. Comments that end a line are put behind the text
 * before them even when a line has begun since, so that they stay where they were written. */
#include "dsl/fmt_doc.h"
#include "base/vec.h"

static struct wr_doc *make(struct wr_arena *arena, enum wr_doc_kind kind)
{
    struct wr_doc *doc = WR_NEW(arena, struct wr_doc);
    doc->kind = kind;
    return doc;
}

struct wr_doc *wr_doc_text(struct wr_arena *arena, struct wr_slice text)
{
    struct wr_doc *doc = make(arena, WR_DOC_TEXT);
    doc->text = text;
    return doc;
}

struct wr_doc *wr_doc_of(struct wr_arena *arena, enum wr_doc_kind kind)
{
    return make(arena, kind);
}

struct wr_doc *wr_doc_nest(struct wr_arena *arena, uint32_t indent)
{
    struct wr_doc *doc = make(arena, WR_DOC_NEST);
    doc->indent = indent;
    return doc;
}

struct wr_doc *wr_doc_comment(struct wr_arena *arena, enum wr_doc_comment kind, struct wr_slice text)
{
    struct wr_doc *doc = make(arena, WR_DOC_COMMENT);
    doc->comment = kind;
    doc->text = text;
    return doc;
}

void wr_doc_add(struct wr_arena *arena, struct wr_doc *parent, struct wr_doc *child)
{
    WR_ASSERT(parent->kind >= WR_DOC_CAT && parent->kind <= WR_DOC_ALIGN);
    if (parent->count == parent->capacity) {
        uint32_t capacity = parent->capacity ? 2 * parent->capacity : 4;
        struct wr_doc **grown = WR_NEW_ARRAY(arena, struct wr_doc *, capacity);
        if (parent->count) memcpy(grown, parent->child, parent->count * sizeof *grown);
        parent->child = grown;
        parent->capacity = capacity;
    }
    parent->child[parent->count++] = child;
}

struct task {
    const struct wr_doc *doc;
    uint32_t indent;
    bool flat;
};
typedef WR_VEC(struct task) task_stack;

struct layout {
    struct wr_buf *out;
    task_stack todo, ahead;
    uint32_t width, column, indent;
    size_t line_start;  /* in out: where this line begins */
    size_t text_end;    /* in out: behind the last text, before the line ends behind it */
    bool blank;         /* nothing but the indent on this line so far */
    bool must_break;    /* a comment ends this line: the next text begins another */
    bool comment_ends;  /* the line before this one ends with a comment already */
};

static uint32_t columns_of(struct wr_slice text)
{
    uint32_t n = 0;
    for (size_t i = 0; i < text.size; i++) n += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return n;
}

static void push_children(task_stack *stack, struct task task, uint32_t indent, bool flat)
{
    for (uint32_t i = task.doc->count; i-- > 0;) wr_vec_push(stack, (struct task){task.doc->child[i], indent, flat});
}

/* Does `first`, flat, and what follows it up to the next end of a line, fit into what is left? */
static bool fits(struct layout *l, struct task first)
{
    int64_t left = (int64_t)l->width - l->column;
    size_t rest = l->todo.count;
    wr_vec_clear(&l->ahead);
    wr_vec_push(&l->ahead, first);
    while (left >= 0) {
        if (l->ahead.count == 0) {
            if (rest == 0) return true;
            wr_vec_push(&l->ahead, l->todo.at[--rest]);
        }
        struct task task = wr_vec_pop(&l->ahead);
        switch (task.doc->kind) {
        case WR_DOC_TEXT: left -= columns_of(task.doc->text); break;
        case WR_DOC_LINE:
            if (!task.flat) return true;
            left--;
            break;
        case WR_DOC_SOFT:
            if (!task.flat) return true;
            break;
        case WR_DOC_HARD: case WR_DOC_BLANK: return !task.flat;
        case WR_DOC_COMMENT:
            if (task.doc->comment != WR_COMMENT_INLINE) return !task.flat;
            if (memchr(task.doc->text.data, '\n', task.doc->text.size)) return !task.flat;
            left -= columns_of(task.doc->text) + 1;
            break;
        case WR_DOC_GROUP: push_children(&l->ahead, task, task.indent, task.flat); break;
        case WR_DOC_CAT:
        case WR_DOC_NEST:
        case WR_DOC_ALIGN:
            push_children(&l->ahead, task, task.indent, task.flat);
            break;
        }
    }
    return false;
}

static void new_line(struct layout *l, uint32_t indent)
{
    if (l->blank) { /* a line with nothing on it is used, not left behind */
        l->out->size = l->line_start;
    } else {
        while (l->out->size > l->line_start && l->out->data[l->out->size - 1] == ' ') l->out->size--;
        l->text_end = l->out->size;
        wr_buf_add_char(l->out, '\n');
        l->comment_ends = l->must_break;
    }
    l->line_start = l->out->size;
    for (uint32_t i = 0; i < indent; i++) wr_buf_add_char(l->out, ' ');
    l->column = l->indent = indent;
    l->blank = true;
    l->must_break = false;
}

static void put_text(struct layout *l, struct wr_slice text)
{
    if (text.size == 0) return;
    if (l->must_break) new_line(l, l->indent);
    if (l->blank && text.data[0] == ' ') { /* no line begins with a blank of its own */
        text.data++;
        text.size--;
    }
    wr_buf_add_slice(l->out, text);
    l->column += columns_of(text);
    if (text.size) l->blank = false;
}

/* Puts a comment at the end of the line before this one, on which nothing stands yet. */
static void put_behind_last_line(struct layout *l, struct wr_slice text)
{
    size_t tail = l->out->size - l->text_end;
    wr_buf_reserve(l->out, text.size + 1);
    char *at = l->out->data + l->text_end;
    memmove(at + text.size + 1, at, tail);
    at[0] = ' ';
    memcpy(at + 1, text.data, text.size);
    l->out->size += text.size + 1;
    l->line_start += text.size + 1;
    l->text_end += text.size + 1;
    l->comment_ends = true;
}

static void put_comment(struct layout *l, const struct wr_doc *doc)
{
    if (doc->comment == WR_COMMENT_INLINE) {
        char last = l->blank || l->out->size == 0 ? ' ' : l->out->data[l->out->size - 1];
        if (!l->must_break && last != ' ' && !strchr("([{", last)) put_text(l, WR_SLICE(" "));
        put_text(l, doc->text);
        put_text(l, WR_SLICE(" "));
        return;
    }
    bool behind = doc->comment == WR_COMMENT_BEHIND;
    if (behind && l->blank && l->line_start > 0 && !l->comment_ends && l->out->data[l->text_end] == '\n' &&
        l->text_end + 1 == l->line_start) {
        put_behind_last_line(l, doc->text);
        return;
    }
    if (behind && !l->blank && !l->must_break) {
        while (l->out->size > l->line_start && l->out->data[l->out->size - 1] == ' ') l->out->size--;
        wr_buf_add_char(l->out, ' ');
    } else if (!l->blank) {
        new_line(l, l->indent);
    }
    wr_buf_add_slice(l->out, doc->text);
    l->blank = false;
    l->must_break = true;
}

static void step(struct layout *l, struct task task)
{
    const struct wr_doc *doc = task.doc;
    switch (doc->kind) {
    case WR_DOC_TEXT: put_text(l, doc->text); break;
    case WR_DOC_LINE:
        if (!task.flat) new_line(l, task.indent);
        else if (!l->blank && !l->must_break) put_text(l, WR_SLICE(" "));
        break;
    case WR_DOC_SOFT:
        if (!task.flat) new_line(l, task.indent);
        break;
    case WR_DOC_HARD: new_line(l, task.indent); break;
    case WR_DOC_BLANK:
        new_line(l, 0);
        if (l->line_start >= 2 && l->out->data[l->line_start - 2] != '\n') {
            wr_buf_add_char(l->out, '\n');
            l->line_start = l->out->size;
        }
        break;
    case WR_DOC_CAT: push_children(&l->todo, task, task.indent, task.flat); break;
    case WR_DOC_GROUP: {
        struct task flat = {doc, task.indent, true};
        bool is_flat = task.flat || fits(l, flat);
        push_children(&l->todo, task, task.indent, is_flat);
        break;
    }
    case WR_DOC_NEST: push_children(&l->todo, task, task.indent + doc->indent, task.flat); break;
    case WR_DOC_ALIGN: push_children(&l->todo, task, l->column, task.flat); break;
    case WR_DOC_COMMENT: put_comment(l, doc); break;
    }
}

void wr_doc_layout(const struct wr_doc *doc, uint32_t width, struct wr_buf *out)
{
    struct layout l = {.out = out, .width = width, .blank = true, .line_start = out->size, .text_end = out->size};
    wr_vec_push(&l.todo, (struct task){doc, 0, false});
    while (l.todo.count) {
        struct task task = wr_vec_pop(&l.todo);
        if (task.doc->kind == WR_DOC_GROUP || task.doc->kind == WR_DOC_ALIGN) {
            if (l.must_break) new_line(&l, task.indent);
        }
        if (task.doc->kind != WR_DOC_COMMENT && !l.must_break && l.blank) l.indent = task.indent;
        step(&l, task);
    }
    wr_vec_release(&l.todo);
    wr_vec_release(&l.ahead);
}
