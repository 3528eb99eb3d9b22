// SPDX-License-Identifier: MIT
#include "draw_boxes.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <set>

#include <cairo.h>
#include <fmt/format.h>
#include <pango/pangocairo.h>
#include <unistd.h>

#include "vl2/error.h"

#include "base/atomic_file.h"

namespace vl2 {
namespace {

namespace fs = std::filesystem;

using Colour = std::array<std::uint8_t, 3>;

// Those of the original's demo.
constexpr Colour kPalette[] = {{255, 0, 0},     {0, 255, 0},     {0, 0, 255},     {0, 255, 255},
                               {255, 255, 0},   {255, 0, 255},   {127, 127, 127}, {255, 255, 127},
                               {255, 127, 255}, {127, 255, 255}, {127, 127, 255}, {127, 255, 127},
                               {255, 127, 127}};
constexpr int kLineWidth = 3;
constexpr int kLabelRise = 20;      // pixels from a box's upper edge to its label's
constexpr int kLabelFontSize = 14;  // pixels, so that a line fits into the rise
constexpr int kLabelMargin = 2;

struct DestroySurface {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};
struct DestroyContext {
  void operator()(cairo_t* context) const { cairo_destroy(context); }
};
struct Unreference {
  void operator()(gpointer object) const { g_object_unref(object); }
};
struct FreeFont {
  void operator()(PangoFontDescription* font) const { pango_font_description_free(font); }
};
using Surface = std::unique_ptr<cairo_surface_t, DestroySurface>;
using Context = std::unique_ptr<cairo_t, DestroyContext>;
using Layout = std::unique_ptr<PangoLayout, Unreference>;
using Font = std::unique_ptr<PangoFontDescription, FreeFont>;

Surface surface_of(const Image& image) {
  Surface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, image.width, image.height));
  if (cairo_surface_status(surface.get()) != CAIRO_STATUS_SUCCESS) {
    throw Error(
        ErrorCode::unsupported,
        fmt::format("cannot draw on a picture of {}x{} pixels: {}", image.width, image.height,
                    cairo_status_to_string(cairo_surface_status(surface.get()))));
  }
  unsigned char* rows = cairo_image_surface_get_data(surface.get());
  const auto stride = static_cast<std::size_t>(cairo_image_surface_get_stride(surface.get()));
  const auto width = static_cast<std::size_t>(image.width);
  for (std::size_t y = 0; y < static_cast<std::size_t>(image.height); ++y) {
    const std::uint8_t* from = image.rgb.data() + y * width * 3;
    for (std::size_t x = 0; x < width; ++x, from += 3) {
      // A pixel is a number 0x00RRGGBB in the machine's byte order.
      const std::uint32_t pixel = static_cast<std::uint32_t>(from[0]) << 16 |
                                  static_cast<std::uint32_t>(from[1]) << 8 | from[2];
      std::memcpy(rows + y * stride + x * sizeof(pixel), &pixel, sizeof(pixel));
    }
  }
  cairo_surface_mark_dirty(surface.get());
  return surface;
}

void set_colour(cairo_t* context, Colour colour) {
  cairo_set_source_rgb(context, colour[0] / 255.0, colour[1] / 255.0, colour[2] / 255.0);
}

// Black or white, whichever is read more easily on `background`.
Colour ink_on(Colour background) {
  const int luminance = (299 * background[0] + 587 * background[1] + 114 * background[2]) / 1000;
  return luminance > 127 ? Colour{0, 0, 0} : Colour{255, 255, 255};
}

// A box with ordered corners inside the picture. Both corners belong to it.
struct Frame {
  int left, top, right, bottom;
};

Frame frame_of(const Box& box, const Image& image) {
  const auto [left, right] = std::minmax(box.x1, box.x2);
  const auto [top, bottom] = std::minmax(box.y1, box.y2);
  return {std::clamp(left, 0, image.width - 1), std::clamp(top, 0, image.height - 1),
          std::clamp(right, 0, image.width - 1), std::clamp(bottom, 0, image.height - 1)};
}

void draw_frame(cairo_t* context, const Frame& frame) {
  const int width = frame.right - frame.left + 1;
  const int height = frame.bottom - frame.top + 1;
  cairo_set_fill_rule(context, CAIRO_FILL_RULE_EVEN_ODD);
  cairo_rectangle(context, frame.left, frame.top, width, height);
  if (width > 2 * kLineWidth && height > 2 * kLineWidth) {
    cairo_rectangle(context, frame.left + kLineWidth, frame.top + kLineWidth,
                    width - 2 * kLineWidth, height - 2 * kLineWidth);
  }
  cairo_fill(context);
}

// Pango takes valid text without control characters.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return text;
}

Layout layout_of(cairo_t* context, const std::string& label, int width) {
  Layout layout(pango_cairo_create_layout(context));
  Font font(pango_font_description_from_string("Sans Bold"));
  pango_font_description_set_absolute_size(font.get(), kLabelFontSize * PANGO_SCALE);
  pango_layout_set_font_description(layout.get(), font.get());
  pango_layout_set_single_paragraph_mode(layout.get(), TRUE);
  const std::string text = printable(label);
  pango_layout_set_text(layout.get(), text.data(), static_cast<int>(text.size()));
  int text_width = 0;
  pango_layout_get_pixel_size(layout.get(), &text_width, nullptr);
  if (text_width > width) {
    pango_layout_set_ellipsize(layout.get(), PANGO_ELLIPSIZE_END);
    pango_layout_set_width(layout.get(), width * PANGO_SCALE);
  }
  return layout;
}

void draw_label(cairo_t* context, const Image& image, const Frame& frame, const Box& box,
                Colour colour) {
  if (box.label.empty()) return;
  const Layout layout = layout_of(context, box.label, std::max(1, image.width - 2 * kLabelMargin));
  int width = 0;
  int height = 0;
  pango_layout_get_pixel_size(layout.get(), &width, &height);
  width += 2 * kLabelMargin;
  const int left = std::max(0, std::min(frame.left, image.width - width));
  const int top = std::max(0, std::min(frame.top - kLabelRise, image.height - height));
  cairo_rectangle(context, left, top, width, height);
  cairo_fill(context);
  set_colour(context, ink_on(colour));
  cairo_move_to(context, left + kLabelMargin, top);
  pango_cairo_show_layout(context, layout.get());
}

// Where the PNG encoder's bytes go. It is C, so an error waits here until it has returned.
struct PngSink {
  AtomicFile file;
  std::optional<Error> error;
};

cairo_status_t write_png(void* closure, const unsigned char* bytes, unsigned size) {
  PngSink& sink = *static_cast<PngSink*>(closure);
  try {
    sink.file.write({reinterpret_cast<const char*>(bytes), size});
  } catch (const Error& error) {
    sink.error = error;
    return CAIRO_STATUS_WRITE_ERROR;
  }
  return CAIRO_STATUS_SUCCESS;
}

}  // namespace

void draw_boxes(const Image& image, std::span<const Box> boxes, const fs::path& path) {
  PngSink sink{AtomicFile(path), {}};
  const Surface surface = surface_of(image);
  const Context context(cairo_create(surface.get()));
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const Colour colour = kPalette[i % std::size(kPalette)];
    const Frame frame = frame_of(boxes[i], image);
    set_colour(context.get(), colour);
    draw_frame(context.get(), frame);
    draw_label(context.get(), image, frame, boxes[i], colour);
  }
  const cairo_status_t status = cairo_surface_write_to_png_stream(surface.get(), write_png, &sink);
  if (sink.error) throw Error(*sink.error);
  if (status != CAIRO_STATUS_SUCCESS) {
    throw Error(ErrorCode::io,
                fmt::format("cannot write {}: {}", path.string(), cairo_status_to_string(status)));
  }
  sink.file.commit();
}

std::vector<Drawing> plan_drawings(std::span<const Box> boxes, const fs::path& path) {
  std::set<std::size_t> images;
  for (const Box& box : boxes) images.insert(box.image);
  std::vector<Drawing> drawings;
  for (const std::size_t image : images) {
    fs::path name = path;
    if (!drawings.empty()) {
      name.replace_filename(fmt::format("{}-{}{}", path.stem().string(), drawings.size() + 1,
                                        path.extension().string()));
    }
    drawings.push_back({image, name});
  }
  return drawings;
}

void require_writable_place(const fs::path& path) {
  std::error_code ignored;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const auto refuse = [&](int error) {
    throw Error(ErrorCode::io,
                fmt::format("cannot write {}: {}", path.string(), std::strerror(error)));
  };
  if (fs::is_directory(path, ignored)) refuse(EISDIR);
  if (fs::exists(path, ignored)) {
    if (::access(path.c_str(), W_OK) != 0) refuse(errno);
  } else if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    refuse(errno);
  }
}

}  // namespace vl2
