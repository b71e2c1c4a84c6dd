/* OUTPUT: rows become lines of a format and go to a sink with the places that decided them. */
#include "runtime/sink.h"

struct wr_output {
    struct wr_operator op;
    struct wr_sink *sink; /* NULL: nobody asked for this output */
    struct wr_encoder *encoder;
    struct wr_watch *watch; /* its lines carry frames; NULL: they do not */
    char *tag;       /* {"tag":{…}}, or NULL */
    uint32_t *input; /* per port: its number in the sink */
    struct wr_buf line;
    uint64_t rows;
};

static struct wr_operator *create(struct wr_task *task, const struct wr_node *node)
{
    WR_UNUSED(task);
    struct wr_output *output = wr_alloc_zero(sizeof *output);
    output->input = wr_alloc_zero(sizeof *output->input * (node->input_count + 1u));
    return &output->op;
}

static void free_output(struct wr_operator *op)
{
    struct wr_output *output = (struct wr_output *)op;
    struct wr_encoder *encoder = output->encoder;
    if (encoder) {
        void (*done)(struct wr_encoder *) = encoder->cls->free;
        done(encoder);
    }
    wr_buf_release(&output->line);
    wr_free(output->input);
    wr_free(output->tag);
    wr_free(output);
}

void wr_output_bind(struct wr_operator *op, struct wr_sink *sink, struct wr_encoder *encoder,
                    const char *tag)
{
    struct wr_output *output = (struct wr_output *)op;
    WR_ASSERT(op->cls == &wr_output_operator && !output->sink);
    output->sink = sink;
    output->encoder = encoder;
    output->watch = sink->framed ? op->task->options.watch : NULL;
    output->tag = tag ? wr_strdup(tag) : NULL;
    for (uint32_t port = 0; port < op->node->input_count; port++)
        output->input[port] = wr_sink_add_input(sink, op, op->node->input[port]);
    encoder->cls->begin(encoder, &output->line);
    if (output->line.size) wr_sink_add(sink, 0, NULL, wr_buf_slice(&output->line));
}

uint64_t wr_output_rows(const struct wr_operator *op)
{
    WR_ASSERT(op->cls == &wr_output_operator);
    return ((const struct wr_output *)op)->rows;
}

void wr_output_set_rows(struct wr_operator *op, uint64_t rows)
{
    WR_ASSERT(op->cls == &wr_output_operator);
    ((struct wr_output *)op)->rows = rows;
}

static void on_batch(struct wr_operator *op, uint32_t port, const struct wr_batch *batch)
{
    struct wr_output *output = (struct wr_output *)op;
    if (!output->sink) return;
    WR_ASSERT(port < op->node->input_count);
    output->rows += batch->rows;
    op->task->rows_written += batch->rows;
    for (uint32_t r = 0; r < batch->rows; r++) {
        struct wr_buf *direct = wr_sink_direct(output->sink);
        if (direct) {
            if (output->watch) wr_watch_frame(output->watch, op, port, batch, r, direct);
            output->encoder->cls->row(output->encoder, batch, r, output->tag, direct);
            continue;
        }
        struct wr_sink_key key = {.place = wr_batch_place(batch, r)};
        key.first = batch->first ? batch->first[r] : key.place;
        wr_buf_clear(&output->line);
        if (output->watch) wr_watch_frame(output->watch, op, port, batch, r, &output->line);
        output->encoder->cls->row(output->encoder, batch, r, output->tag, &output->line);
        wr_sink_add(output->sink, output->input[port], &key, wr_buf_slice(&output->line));
    }
}

static void on_watermark(struct wr_operator *op, uint32_t port, int64_t watermark)
{
    struct wr_output *output = (struct wr_output *)op;
    if (output->sink) wr_sink_watermark(output->sink, output->input[port], watermark);
}

static void save_all(struct wr_operator *op, wr_state_entry_fn *entry, void *context)
{
    struct wr_output *output = (struct wr_output *)op;
    for (uint32_t port = 0; output->sink && port < op->node->input_count; port++)
        wr_sink_save(output->sink, output->input[port], port, entry, context);
}

static bool load(struct wr_operator *op, struct wr_slice key, struct wr_slice value)
{
    struct wr_output *output = (struct wr_output *)op;
    for (uint32_t port = 0; output->sink && port < op->node->input_count; port++)
        if (wr_sink_load(output->sink, output->input[port], port, key, value)) return true;
    return false;
}

static void clear(struct wr_operator *op)
{
    struct wr_output *output = (struct wr_output *)op;
    for (uint32_t port = 0; output->sink && port < op->node->input_count; port++)
        wr_sink_clear(output->sink, output->input[port]);
}

const struct wr_operator_class wr_output_operator = {
    .name = "output",
    .create = create,
    .free = free_output,
    .on_batch = on_batch,
    .on_watermark = on_watermark,
    .save_all = save_all,
    .load = load,
    .clear = clear,
};
