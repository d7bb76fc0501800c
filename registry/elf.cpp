// SPDX-License-Identifier: Apache-2.0
#include "registry/elf.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>
#include <libelf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "paribus/error.h"

namespace paribus::registry {
namespace {

constexpr std::uint64_t kMaxSection = 1 << 20;
constexpr std::uint64_t kMaxNames = 64 << 20;  // string tables: C++ symbols are long
constexpr std::size_t kMaxSections = 65536;
constexpr std::string_view kNotPlugin = "it is no Paribus plugin; take it out of the folder";
constexpr std::string_view kDamaged = "copy or build it again";

/// Closes the file when the last user is gone.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

struct EndElf {
  void operator()(Elf* elf) const { elf_end(elf); }
};
using ElfHandle = std::unique_ptr<Elf, EndElf>;

[[noreturn]] void cannot_open(int error) {
  throw Error(
      fmt::format("can't be opened: {}; check the path and its permissions", std::strerror(error)));
}

FileIdentity identity_of(const struct stat& status) {
  if (S_ISDIR(status.st_mode))
    throw Error("is a folder, expected a shared library; take it out of the folder");
  if (!S_ISREG(status.st_mode)) throw Error("is not a regular file; take it out of the folder");
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .size = static_cast<std::uint64_t>(status.st_size),
          .modified = status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec};
}

/// The file's first bytes, looked at before libelf sees it.
void check_header(int file, std::uint64_t size) {
  Elf64_Ehdr header{};
  const ssize_t got = ::pread(file, &header, sizeof header, 0);
  if (got < 0) throw Error(fmt::format("can't be read: {}; check the disk", std::strerror(errno)));
  if (got < SELFMAG || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    throw Error(fmt::format("is not an ELF file; {}", kNotPlugin));
  }
  if (static_cast<std::size_t>(got) < sizeof header) {
    throw Error(fmt::format("ends within the ELF header, after {} bytes; {}", size, kDamaged));
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64) {
    throw Error("is not a 64-bit library; build it for x86-64 or aarch64");
  }
  if (header.e_ident[EI_DATA] != ELFDATA2LSB) {
    throw Error("is not a little-endian library; build it for x86-64 or aarch64");
  }
  if (header.e_type != ET_DYN) {
    throw Error(
        fmt::format("is not a shared library (ELF type {}, expected {}); link it with -shared",
                    header.e_type, ET_DYN));
  }
  if (header.e_machine != EM_X86_64 && header.e_machine != EM_AARCH64) {
    throw Error(
        fmt::format("is for another machine (ELF machine {}); build it for x86-64 or aarch64",
                    header.e_machine));
  }
}

/// Whether [offset, offset + length) lies within the file; written so that nothing overflows.
bool within(std::uint64_t offset, std::uint64_t length, std::uint64_t size) {
  return offset <= size && length <= size - offset;
}

/// Returns the number of the section that holds the sections' names.
std::size_t check_section_table(Elf* elf, std::uint64_t size) {
  GElf_Ehdr header{};
  if (gelf_getehdr(elf, &header) == nullptr) {
    throw Error(fmt::format("has a damaged ELF header ({}); {}", elf_errmsg(-1), kDamaged));
  }
  if (header.e_shoff == 0) throw Error(fmt::format("has no section table; {}", kNotPlugin));
  std::size_t count = 0;
  std::size_t names = 0;
  const bool counted = header.e_shentsize == sizeof(Elf64_Shdr) &&
                       within(header.e_shoff, sizeof(Elf64_Shdr), size) &&
                       elf_getshdrnum(elf, &count) == 0 && elf_getshdrstrndx(elf, &names) == 0;
  const bool fits = counted && count <= kMaxSections && names < count &&
                    within(header.e_shoff, count * sizeof(Elf64_Shdr), size);
  if (!fits) {
    throw Error(fmt::format(
        "is cut short or damaged: its section table (at byte {}) doesn't fit into its {} bytes; {}",
        header.e_shoff, size, kDamaged));
  }
  return names;
}

GElf_Shdr header_of(Elf_Scn* section) {
  GElf_Shdr header{};
  if (section == nullptr || gelf_getshdr(section, &header) == nullptr) {
    throw Error(fmt::format("has a damaged section table ({}); {}", elf_errmsg(-1), kDamaged));
  }
  return header;
}

/// libelf allocates what a section says it needs, so its word is checked first.
void check_names(Elf* elf, std::size_t table, std::uint64_t size) {
  const GElf_Shdr header = header_of(elf_getscn(elf, table));
  const bool fits = header.sh_type == SHT_STRTAB && header.sh_size <= kMaxNames &&
                    within(header.sh_offset, header.sh_size, size);
  if (!fits)
    throw Error(fmt::format("has a damaged table of names (section {}); {}", table, kDamaged));
}

std::string_view raw_bytes(Elf_Scn* section, const GElf_Shdr& header) {
  if (header.sh_size == 0) return {};
  const Elf_Data* data = elf_rawdata(section, nullptr);
  if (data == nullptr || data->d_buf == nullptr || data->d_size != header.sh_size) {
    throw Error(fmt::format("can't be read: {}; {}", elf_errmsg(-1), kDamaged));
  }
  return {static_cast<const char*>(data->d_buf), data->d_size};
}

void append_manifests(std::string& text, Elf_Scn* section, const GElf_Shdr& header,
                      std::uint64_t size) {
  if (header.sh_type != SHT_PROGBITS || (header.sh_flags & SHF_COMPRESSED) != 0) {
    throw Error(
        "has a section .paribus without plain bytes; rebuild it without stripping or compressing "
        "sections");
  }
  if (header.sh_size > kMaxSection || text.size() + header.sh_size > kMaxSection) {
    throw Error(fmt::format(
        "has a section .paribus of {} bytes, expected at most {}; offer fewer parts per file",
        header.sh_size, kMaxSection));
  }
  if (!within(header.sh_offset, header.sh_size, size)) {
    throw Error(fmt::format(
        "is cut short or damaged: its section .paribus (at byte {}, {} bytes) doesn't fit into its "
        "{} bytes; {}",
        header.sh_offset, header.sh_size, size, kDamaged));
  }
  text += raw_bytes(section, header);
}

/// Which C++ standard library it is isn't in the manifest, but in what the library needs.
void check_needed(Elf* elf, Elf_Scn* section, const GElf_Shdr& header, std::uint64_t size) {
  const bool readable =
      header.sh_size <= kMaxSection && within(header.sh_offset, header.sh_size, size);
  if (!readable) throw Error(fmt::format("has a damaged section .dynamic; {}", kDamaged));
  check_names(elf, header.sh_link, size);
  const std::string_view bytes = raw_bytes(section, header);
  for (std::size_t at = 0; bytes.size() - at >= sizeof(Elf64_Dyn); at += sizeof(Elf64_Dyn)) {
    Elf64_Dyn entry{};
    std::memcpy(&entry, bytes.data() + at, sizeof entry);
    if (entry.d_tag == DT_NULL) return;
    if (entry.d_tag != DT_NEEDED) continue;
    const char* needed = elf_strptr(elf, header.sh_link, entry.d_un.d_val);
    if (needed != nullptr && std::string_view(needed).starts_with("libc++.so")) {
      throw Error(
          "needs the C++ standard library libc++, LibTorch and Paribus are built on libstdc++; "
          "rebuild it with -stdlib=libstdc++");
    }
  }
}

std::string manifests_of(Elf* elf, std::uint64_t size) {
  const std::size_t names = check_section_table(elf, size);
  check_names(elf, names, size);
  std::string text;
  bool found = false;
  for (Elf_Scn* section = elf_nextscn(elf, nullptr); section != nullptr;
       section = elf_nextscn(elf, section)) {
    const GElf_Shdr header = header_of(section);
    if (header.sh_type == SHT_DYNAMIC) check_needed(elf, section, header, size);
    const char* name = elf_strptr(elf, names, header.sh_name);
    if (name == nullptr || std::string_view(name) != ".paribus") continue;
    append_manifests(text, section, header, size);
    found = true;
  }
  if (!found) throw Error(fmt::format("has no section .paribus; {}", kNotPlugin));
  return text;
}

}  // namespace

FileIdentity identify(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) cannot_open(errno);
  return identity_of(status);
}

ManifestSection read_section(const std::filesystem::path& file) {
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (descriptor.get() < 0) cannot_open(errno);
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) cannot_open(errno);
  const FileIdentity identity = identity_of(status);
  if (identity.size == 0) throw Error(fmt::format("is empty; {}", kDamaged));
  check_header(descriptor.get(), identity.size);
  if (elf_version(EV_CURRENT) == EV_NONE)
    throw Error("can't be read: libelf is too old; update it");
  const ElfHandle elf(elf_begin(descriptor.get(), ELF_C_READ, nullptr));
  if (!elf || elf_kind(elf.get()) != ELF_K_ELF) {
    throw Error(fmt::format("has a damaged ELF header ({}); {}", elf_errmsg(-1), kDamaged));
  }
  return {identity, manifests_of(elf.get(), identity.size)};
}

}  // namespace paribus::registry
