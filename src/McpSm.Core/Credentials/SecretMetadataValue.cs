using System.Globalization;
using System.Text.Json.Serialization;
using McpSm.Core.Errors;

namespace McpSm.Core.Credentials;

/// <summary>A value of a secret's metadata, as text that keeps its type.</summary>
public sealed record SecretMetadataValue([property: JsonPropertyName("type")] TypeCode Type, [property: JsonPropertyName("value")] string Value)
{
    /// <exception cref="McpAuthException">InvalidValue: neither text, number, truth nor time.</exception>
    public static SecretMetadataValue Create(string key, object? value) => value is IConvertible plain and not Enum
        && plain.GetTypeCode() is var type and not (TypeCode.Object or TypeCode.DBNull or TypeCode.Empty)
        ? new(type, value is DateTime time ? time.ToString("O", CultureInfo.InvariantCulture) : plain.ToString(CultureInfo.InvariantCulture))
        : throw new McpAuthException(ErrorReason.InvalidValue, $"The metadata '{UntrustedText.Sanitize(key)}' cannot be kept: "
            + $"it is {(value is null ? "null" : "of type " + value.GetType().Name)}. Text, numbers, truth values and DateTime can be.");

    public object Read() => Type == TypeCode.DateTime ? DateTime.Parse(Value, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind)
        : Convert.ChangeType(Value, Type, CultureInfo.InvariantCulture);
}
