// SPDX-License-Identifier: MIT
// The page's files, one after the other; the generated table says which is where.
    .section .rodata
    .global vl2_page_data
    .balign 16
vl2_page_data:
    .incbin "page.bin"
    .byte 0
    .section .note.GNU-stack, "", %progbits
