/* SPDX-License-Identifier: MIT */
#ifndef IPCBUS_IPC_FILE_H
#define IPCBUS_IPC_FILE_H

/*
 * Binary data goes beside a message as a file: any fd will do, and one of these needs no copy on its way. The sender
 * makes it from a buffer, transfers it (struct ipc_transfer), and closes it; the receiver maps it.
 */

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * ipc_file_new_from_buffer - make a file in memory that nobody can change any more
 * @data: what it holds; copied, the only copy on its way. NULL if @size is 0
 * @size: bytes
 *
 * The file is a memfd with the seals F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE and F_SEAL_SEAL. The web: a Blob.
 *
 * Return: the fd, which the caller closes, or -EINVAL, -EMFILE, -ENFILE, -ENOMEM, -ENOSPC.
 */
int ipc_file_new_from_buffer(const void *data, size_t size);

/**
 * ipc_file_map - look at what is in a file that was received
 * @fd: the file; it stays the caller's, and may be closed at once
 * @ret_data: its bytes, to be read only; give them back with ipc_file_unmap(). NULL if there are none
 * @ret_size: how many
 *
 * Only files that nobody can change are mapped: what could be cut short under a mapping kills who reads it.
 *
 * Return: 0, or -EINVAL, -EBADF, -EPERM (it lacks a seal, or is no memfd: read() it instead), -ENOMEM.
 */
int ipc_file_map(int fd, const void **ret_data, size_t *ret_size);

/**
 * ipc_file_unmap - give back what ipc_file_map() gave
 * @data: the bytes, or NULL
 * @size: how many
 */
void ipc_file_unmap(const void *data, size_t size);

#ifdef __cplusplus
}
#endif

#endif
