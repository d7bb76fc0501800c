// SPDX-License-Identifier: Apache-2.0
#include "png.h"

#include <png.h>

#include "paribus/error.h"

namespace paribus::worker {

std::string png_of(const Pixels& pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(pixels.width);
  image.height = static_cast<png_uint_32>(pixels.height);
  image.format = pixels.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string file(size, '\0');
  if (png_image_write_to_memory(&image, file.data(), &size, 0, pixels.bytes.data(), 0, nullptr) ==
      0)
    throw Error(std::string("a picture can't be made: ") + image.message);
  file.resize(size);
  return file;
}

}  // namespace paribus::worker
