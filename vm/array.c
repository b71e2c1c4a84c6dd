#include "vm/array.h"

struct wr_type wr_type_array(struct wr_type element)
{
    WR_ASSERT(element.kind < WR_KIND_ARRAY);
    return (struct wr_type){WR_KIND_ARRAY, element.precision, element.scale, element.kind};
}

struct wr_type wr_type_element(struct wr_type array)
{
    WR_ASSERT(array.kind == WR_KIND_ARRAY);
    return (struct wr_type){array.element, array.precision, array.scale, 0};
}

static void put(struct wr_buf *out, wr_u128 number, unsigned size)
{
    for (unsigned i = 0; i < size; i++, number >>= 8) wr_buf_add_char(out, (char)(number & 0xff));
}

static wr_u128 get(const char *bytes, unsigned size)
{
    wr_u128 number = 0;
    for (unsigned i = size; i-- > 0;) number = number << 8 | (unsigned char)bytes[i];
    return number;
}

void wr_array_add(struct wr_buf *array, const struct wr_value *element)
{
    WR_ASSERT(element->flag != WR_FLAG_ERROR);
    uint64_t bits;
    wr_buf_add_char(array, element->flag == WR_FLAG_VALUE);
    if (element->flag != WR_FLAG_VALUE) return;
    switch ((enum wr_class)element->cls) {
    case WR_CLASS_BOOL: put(array, element->u.boolean, 1); break;
    case WR_CLASS_I64: put(array, (uint64_t)element->u.i64, 8); break;
    case WR_CLASS_F64:
        memcpy(&bits, &element->u.f64, sizeof bits);
        put(array, bits, 8);
        break;
    case WR_CLASS_DEC: put(array, (wr_u128)element->u.dec, 16); break;
    case WR_CLASS_STR:
        WR_ASSERT(element->u.str.size <= UINT32_MAX);
        put(array, element->u.str.size, 4);
        wr_buf_add_slice(array, element->u.str);
        break;
    case WR_CLASS_COUNT: break;
    }
}

/* Bytes that a value takes, its length included; 0 when the array is cut short. */
static size_t size_of(struct wr_slice bytes, enum wr_class cls)
{
    size_t size = cls == WR_CLASS_STR ? 4 : wr_class_size(cls);
    if (bytes.size < size) return 0;
    if (cls == WR_CLASS_STR) size += (size_t)get(bytes.data, 4);
    return bytes.size < size ? 0 : size;
}

bool wr_array_read(struct wr_slice *rest, enum wr_class cls, struct wr_value *element, bool *damaged)
{
    *damaged = false;
    if (rest->size == 0) return false;
    char flag = rest->data[0];
    struct wr_slice bytes = wr_slice_of(rest->data + 1, rest->size - 1);
    size_t size = flag ? size_of(bytes, cls) : 0;
    *element = (struct wr_value){.cls = (uint8_t)cls, .flag = flag ? WR_FLAG_VALUE : WR_FLAG_NULL};
    if (flag && (size == 0 || flag != 1)) {
        *damaged = true;
        return false;
    }
    *rest = wr_slice_of(bytes.data + size, bytes.size - size);
    if (!flag) return true;
    uint64_t bits;
    switch (cls) {
    case WR_CLASS_BOOL: element->u.boolean = bytes.data[0] != 0; break;
    case WR_CLASS_I64: element->u.i64 = (int64_t)(uint64_t)get(bytes.data, 8); break;
    case WR_CLASS_F64:
        bits = (uint64_t)get(bytes.data, 8);
        memcpy(&element->u.f64, &bits, sizeof bits);
        break;
    case WR_CLASS_DEC: element->u.dec = (wr_i128)get(bytes.data, 16); break;
    case WR_CLASS_STR: element->u.str = wr_slice_of(bytes.data + 4, size - 4); break;
    case WR_CLASS_COUNT: break;
    }
    return true;
}

bool wr_array_next(struct wr_slice *rest, struct wr_type element_type, struct wr_value *element)
{
    bool damaged, more = wr_array_read(rest, wr_type_class(element_type), element, &damaged);
    return more && !damaged;
}

bool wr_array_is_valid(struct wr_slice array, struct wr_type element_type)
{
    struct wr_value element;
    bool damaged;
    while (wr_array_read(&array, wr_type_class(element_type), &element, &damaged)) {}
    return !damaged;
}
