#include "models/image/image.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "tests/support/support.hpp"

namespace vultus {
namespace {

namespace fs = std::filesystem;

class ImageTest : public testing::Test {
 protected:
  ImageTest() { fs::create_directories(folder_); }
  ~ImageTest() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string file(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  std::string encoded(const std::string& name, const cv::Mat& image) const {
    EXPECT_TRUE(cv::imwrite(path(name), image));
    return path(name);
  }
  const fs::path folder_ =
      fs::temp_directory_path() / ("vultus_image_" + std::to_string(::getpid()));
};

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

cv::Mat picture(int type) {
  cv::Mat image(23, 31, type);
  cv::RNG random(5);
  random.fill(image, cv::RNG::UNIFORM, 0, CV_MAT_DEPTH(type) == CV_16U ? 65536 : 256);
  return image;
}

std::string refusal(const std::string& path) {
  testing::internal::CaptureStderr();
  auto image = read_image(path);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << path;
  EXPECT_FALSE(image) << path;
  if (image) return "";
  EXPECT_EQ(image.error().code, Errc::bad_input);
  return image.error().what;
}

TEST_F(ImageTest, EveryFormatOfThePathListsIsRead) {
  for (const char* name : {"a.png", "a.bmp", "a.tif", "a.webp"}) {
    cv::Mat expected = picture(CV_8UC3);
    auto image = read_image(encoded(name, expected));
    ASSERT_TRUE(image) << name << ": " << image.error().what;
    EXPECT_EQ(image->size(), expected.size());
    if (std::string(name) == "a.webp") continue;  // the only lossy one
    EXPECT_EQ(cv::norm(*image, expected, cv::NORM_INF), 0) << name;
  }
}

TEST_F(ImageTest, GreyAlphaAndSixteenBitsBecomeBgr) {
  cv::Mat grey = picture(CV_8UC1);
  auto from_grey = read_image(encoded("grey.png", grey));
  ASSERT_TRUE(from_grey);
  ASSERT_EQ(from_grey->type(), CV_8UC3);
  EXPECT_EQ(from_grey->at<cv::Vec3b>(4, 9), cv::Vec3b::all(grey.at<uint8_t>(4, 9)));

  cv::Mat alpha = picture(CV_8UC4);
  auto from_alpha = read_image(encoded("alpha.png", alpha));
  ASSERT_TRUE(from_alpha);
  cv::Vec4b a = alpha.at<cv::Vec4b>(4, 9);
  EXPECT_EQ(from_alpha->at<cv::Vec3b>(4, 9), cv::Vec3b(a[0], a[1], a[2]));

  cv::Mat deep = picture(CV_16UC3);
  auto from_deep = read_image(encoded("deep.png", deep));
  ASSERT_TRUE(from_deep);
  EXPECT_NEAR(from_deep->at<cv::Vec3b>(4, 9)[1], deep.at<cv::Vec3w>(4, 9)[1] / 257.0, 1);
}

TEST_F(ImageTest, ExifOrientationIsApplied) {
  cv::Mat wide(20, 40, CV_8UC3, cv::Scalar(0, 0, 255));
  wide.colRange(0, 20).setTo(cv::Scalar(255, 0, 0));
  std::vector<uint8_t> jpeg;
  cv::imencode(".jpg", wide, jpeg);
  std::string plain(jpeg.begin(), jpeg.end());
  // APP1: Exif, little-endian TIFF, one entry: orientation (0x112), short, 6 = turn clockwise.
  const char exif[] =
      "\xff\xe1\x00\x22"
      "Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
  std::string turned = plain.substr(0, 2) + std::string(exif, sizeof exif - 1) + plain.substr(2);
  auto image = read_image(file("turned.jpg", turned));
  ASSERT_TRUE(image) << image.error().what;
  ASSERT_EQ(image->size(), cv::Size(20, 40));
  EXPECT_GT(image->at<cv::Vec3b>(5, 10)[0], 200) << "the left half, blue, is now above";
  EXPECT_GT(image->at<cv::Vec3b>(35, 10)[2], 200);
}

TEST_F(ImageTest, ThePicturesOfTheTestSetAreReadInSilence) {
  VULTUS_NEED_SHARED(media, "media");
  struct {
    const char* name;
    cv::Size size;
  } expected[] = {{"astronaut.png", {512, 512}},
                  {"chelsea_cat.png", {451, 300}},
                  {"obama-1080p.jpg", {1920, 1080}},
                  {"biden.jpg", {970, 2204}},
                  {"solvay1927.jpg", {2048, 826}}};
  for (const auto& [name, size] : expected) {
    testing::internal::CaptureStderr();
    auto image = read_image(media + "/" + name);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << name;
    ASSERT_TRUE(image) << image.error().what;
    EXPECT_EQ(image->size(), size) << name;
  }
}

TEST_F(ImageTest, FilesThatAreNoPictureAreRefusedWithTheReason) {
  EXPECT_EQ(refusal(file("text.png", "no picture at all")),
            path("text.png") + ": not a picture (PNG, JPEG, BMP, TIFF or WebP)");
  EXPECT_EQ(refusal(file("empty.png", "")), path("empty.png") + ": empty file");
  EXPECT_EQ(refusal(path("none.png")),
            path("none.png") + ": cannot be opened: No such file or directory");
  EXPECT_EQ(refusal(folder_.string()), folder_.string() + ": is a folder, not a file");
  ASSERT_EQ(::mkfifo(path("pipe.png").c_str(), 0600), 0);
  EXPECT_EQ(refusal(path("pipe.png")),
            path("pipe.png") + ": is not a regular file (a pipe, socket or device)");
}

TEST_F(ImageTest, CutOffPicturesAreRefused) {
  for (const char* name : {"cut.png", "cut.jpg"}) {
    std::string whole = bytes_of(encoded(name, picture(CV_8UC3)));
    for (size_t keep : {whole.size() - 2, whole.size() / 2})
      EXPECT_EQ(refusal(file(name, whole.substr(0, keep))),
                path(name) + ": the picture is cut off");
  }
}

TEST_F(ImageTest, AHeaderThatPromisesAHugePictureIsRefusedBeforeDecoding) {
  for (const char* name : {"huge.png", "huge.bmp"}) {
    std::string bytes = bytes_of(encoded(name, picture(CV_8UC3)));
    bool png = std::string(name) == "huge.png";
    // Width: big-endian at 16 in PNG, little-endian at 18 in BMP. 0x00010000.
    bytes.replace(png ? 16 : 18, 4, png ? std::string("\0\1\0\0", 4) : std::string("\0\0\1\0", 4));
    EXPECT_NE(refusal(file(name, bytes)).find("65536x23 is larger than the 16384"),
              std::string::npos);
  }
  for (const char* name : {"big.png", "big.jpg", "big.bmp", "big.tif", "big.webp"}) {
    auto image = read_image(encoded(name, cv::Mat::zeros(20, 300, CV_8UC3)), 200);
    ASSERT_FALSE(image) << name;
    EXPECT_NE(image.error().what.find("300x20 is larger than the 200"), std::string::npos)
        << image.error().what;
  }
}

TEST_F(ImageTest, FlippedBytesNeverCrash) {
  for (const char* name : {"f.png", "f.jpg", "f.bmp", "f.tif", "f.webp"}) {
    std::string whole = bytes_of(encoded(name, picture(CV_8UC3)));
    uint32_t state = 77;
    auto random = [&] { return (state = state * 1664525u + 1013904223u) >> 8; };
    for (int round = 0; round < 40; ++round) {
      std::string bytes = whole;
      for (int i = 0; i < 3; ++i)
        bytes[random() % bytes.size()] = static_cast<char>(random());
      testing::internal::CaptureStderr();  // codecs may complain of damage inside the pixels
      auto image = read_image(file(name, bytes));
      testing::internal::GetCapturedStderr();
      EXPECT_TRUE(!image || image->type() == CV_8UC3);
    }
  }
}

TEST_F(ImageTest, WrittenPicturesComeBack) {
  cv::Mat image = picture(CV_8UC3);
  ASSERT_TRUE(write_png(path("out.png"), image));
  auto png = read_image(path("out.png"));
  ASSERT_TRUE(png);
  EXPECT_EQ(cv::norm(*png, image, cv::NORM_INF), 0);
  for (const auto& entry : fs::directory_iterator(folder_))
    EXPECT_NE(entry.path().extension(), ".partial");
}

TEST_F(ImageTest, PlacesThatCannotBeWrittenAreNamed) {
  auto result = write_png(path("no/folder.png"), picture(CV_8UC3));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::unwritable);
  EXPECT_EQ(result.error().what,
            "cannot write " + path("no/folder.png") + ": No such file or directory");
  EXPECT_FALSE(write_png(path("empty.png"), cv::Mat()));
  EXPECT_FALSE(write_png(path("float.png"), cv::Mat::zeros(3, 3, CV_32FC3)));
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST(ImagePath, KindsAreToldByTheEnding) {
  for (const char* name : {"a.png", "b/c.JPG", "x.y.jpeg", "a.TiFf", "a.webp"}) {
    EXPECT_TRUE(is_image_path(name)) << name;
    EXPECT_FALSE(is_video_path(name)) << name;
  }
  for (const char* name : {"a.mp4", "b/c.MOV", "x.y.mkv", "a.m2ts"}) {
    EXPECT_TRUE(is_video_path(name)) << name;
    EXPECT_FALSE(is_image_path(name)) << name;
  }
  for (const char* name : {"png", ".png", "a.png/", "a.png/b", "a.txt", "", "mp4."}) {
    EXPECT_FALSE(is_image_path(name)) << name;
    EXPECT_FALSE(is_video_path(name)) << name;
  }
}

}  // namespace
}  // namespace vultus
